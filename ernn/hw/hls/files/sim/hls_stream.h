// A queue with the names of the vendor's hls::stream, for a C simulation without the vendor's tools.
#ifndef ERNN_SIM_HLS_STREAM_H
#define ERNN_SIM_HLS_STREAM_H

#include <cstdio>
#include <cstdlib>
#include <deque>

namespace hls {

template <class T> class stream {
  public:
    explicit stream(const char *name = "") : name_(name) {}

    bool empty() const { return queue_.empty(); }
    void write(const T &value) { queue_.push_back(value); }
    T read() {
        if (queue_.empty()) {
            std::fprintf(stderr, "read from empty stream %s\n", name_);
            std::exit(1);
        }
        const T value = queue_.front();
        queue_.pop_front();
        return value;
    }

  private:
    stream(const stream &);
    stream &operator=(const stream &);
    const char *name_;
    std::deque<T> queue_;
};

} // namespace hls

#endif
