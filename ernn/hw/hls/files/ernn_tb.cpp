// Test bench: runs the frames of features.txt and compares every logit with logits.txt, integers both.
//
// A line of features.txt is a frame: 1 if it is the first of an utterance, else 0, and twice the number of its stream
// more; and the features. A line of logits.txt has the logits of the same frame. Other files may be named on the command
// line.
#include "ernn.h"

#include <cstdio>
#include <fstream>
#include <string>

static bool frame(std::istream &features, std::istream &expected, const int utterance, const int number,
                  const bool first, const int stream) {
    hls::stream<ernn_feature> in("features");
    hls::stream<ernn_logit> out("logits");
    for (int n = 0; n < ERNN_INPUTS; n++) {
        long long value;
        if (!(features >> value)) {
            std::fprintf(stderr, "utterance %d, frame %d: feature %d is missing\n", utterance, number, n);
            return false;
        }
        ernn_feature beat;
        beat.data = value;
        beat.keep = beat.strb = -1;
        beat.user = first && n == 0;
        beat.last = n == ERNN_INPUTS - 1;
        beat.id = stream;
        beat.dest = 0;
        in.write(beat);
    }
    ernn(in, out);
    for (int n = 0; n < ERNN_CLASSES; n++) {
        long long wanted;
        if (!(expected >> wanted)) {
            std::fprintf(stderr, "utterance %d, frame %d: logit %d is missing\n", utterance, number, n);
            return false;
        }
        const long long got = out.read().data.to_int64();
        if (got != wanted) {
            std::fprintf(stderr, "utterance %d, frame %d, logit %d: expected %lld, got %lld\n", utterance, number, n,
                         wanted, got);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    const std::string names[2] = {argc > 1 ? argv[1] : "features.txt", argc > 2 ? argv[2] : "logits.txt"};
    std::ifstream features(names[0].c_str()), expected(names[1].c_str());
    if (!features || !expected) {
        std::fprintf(stderr, "%s cannot be read\n", names[features ? 1 : 0].c_str());
        return 1;
    }
    int begun = 0, frames = 0, code, utterance[ERNN_STREAMS] = {0}, number[ERNN_STREAMS] = {0};
    for (; features >> code; frames++) {
        const int stream = code >> 1;
        if (code < 0 || stream >= ERNN_STREAMS) {
            std::fprintf(stderr, "frame %d is of stream %d, there are %d\n", frames, stream, ERNN_STREAMS);
            return 1;
        }
        if (code & 1) {
            utterance[stream] = begun++;
            number[stream] = 0;
        }
        if (!frame(features, expected, utterance[stream], number[stream]++, code & 1, stream))
            return 1;
    }
    long long more;
    if (frames == 0 || !features.eof()) {
        std::fprintf(stderr, "%s: frame %d is no frame\n", names[0].c_str(), frames);
        return 1;
    }
    if (expected >> more || !expected.eof()) {
        std::fprintf(stderr, "%s: more than the logits of %d frames\n", names[1].c_str(), frames);
        return 1;
    }
    std::printf("%d frames of %d utterances equal\n", frames, begun);
    return 0;
}
