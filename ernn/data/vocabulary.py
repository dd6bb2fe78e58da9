"""Some 1,500 words by their place in a sentence: the vocabulary of the synthetic corpus."""

PEOPLE = """
Adam Alice Amy Andrew Anna Arthur Barbara Ben Beth Bill Bob Brian Carol Cathy Charles Chloe Clara Daisy Daniel David
Dora Edith Edward Ella Emma Eric Ethan Eva Felix Fiona Frank Gary George Gina Grace Greg Hannah Harry Hazel Helen
Henry Hugo Ian Ida Iris Isaac Ivan Jack Jacob James Jane Jason Jill Joan Joe John Joy Judith Julia Karen Kate Keith
Kevin Laura Leo Lily Linda Louise Lucy Luke Mabel Marge Mark Martha Mary Matthew Max Megan Mike Molly Nancy Nathan
Nick Nora Olive Oscar Owen Pamela Patrick Paul Penny Peter Phoebe Rachel Ralph Rebecca Richard Robert Rose Roy Ruth
Sally Samuel Sarah Scott Sheila Simon Sophie Stephen Susan Sylvia Theo Thomas Tina Toby Tracy Ursula Victor Violet
Walter Wendy Yvonne Zachary Zoe
"""

NOUNS = """
acre actor adult agent airplane alarm album anchor angel animal answer apple apron army arrow artist aunt autumn axe
baby badge bag baker ball balloon banana band bank banner barber barn barrel basket bath battery battle beach beard
bear beaver bed beetle bell belt bench berry bicycle bird blanket block board boat bone book boot bottle bowl box boy
branch bread breakfast breeze brick bridge broom brother brush bucket building bull bus bush butcher butter button
cabin cabinet cable cage cake camel camera camp candle canoe captain car card carpet carriage carrot cart castle cat
cattle cave ceiling cellar chain chair chalk charm cheese cherry chest chicken chief child chimney choice church
circle citizen city class clay cliff clock cloth cloud clown club coach coal coast coat coffee coin collar college
color column comb command company concert cook copper corner cottage cotton couch country couple court cousin cover
cow crab crane cream creek crew crop crowd crown cup curtain cushion dancer daughter dawn deer dentist desert desk
dinner dish diver doctor dog doll dollar dolphin donkey door dragon drawer dream dress driver drum duck eagle ear
earth edge egg elbow elephant engine engineer envelope error evening eye fable face factory family farm farmer father
feather fence festival field finger fire fish flag flame flood floor flower flute fog forest fork fountain fox frame
friend frog fruit garage garden garlic gate giant gift giraffe girl glass glove goat gold goose grain grape grass
guard guest guitar hall hammer hand handle harbor hat hawk heart hedge helmet hen hero hill hole honey hood hook horn
horse hospital hotel hour house hunter idea infant insect iron island ivory jacket jar jewel job journal journey judge
juice jungle kettle key king kitchen kite kitten knee knife knight ladder lady lake lamb lamp language lawn lawyer
leader leaf leather lemon lesson letter library light lily lion lizard lock log lord lumber lunch machine magazine
magnet maid mail major map marble market mask master match meadow meal measure meat melon merchant message metal milk
miller mirror mitten model moment monkey moon morning moth mother motor mountain mouse mouth movie muscle museum
mushroom music nail napkin neck needle neighbor nest net newspaper night noise notebook nurse oak oar ocean office
officer oil onion orange orchard order oven owl owner ox package page paint pair palace pan paper parade parcel parent
park parrot party patch path pattern peach peanut pear pearl pebble pen pencil people pepper phone photo piano picnic
picture pie pig pigeon pillow pilot pin pipe plant plate player pleasure plow pocket poem poet pole pond pony pool
porch potato pot powder present prince prison prize problem puddle pump puppy purse puzzle queen question quilt rabbit
radio railroad rain ranch razor reason report ribbon rice ring river road robin rock roof room rope rose rug ruler
sack saddle sailor salad salt sand sandwich scarf school scissors sea season seat secret seed shadow shark shed sheep
shelf shell sheriff ship shirt shoe shop shore shoulder shovel shower silver singer sister skate sketch skirt sky sled
sleeve smoke snail snake snow soap sock sofa soldier song soup spider spoon spring square squirrel stable stage stair
stamp star station statue steam steel stick stocking stone store storm story stove stranger straw stream street string
student sugar suit summer sun supper swan sweater swing sword table tailor tape task teacher team temple tent theater
thief thread throne thumb ticket tiger tile timber toad toast tomato tongue tool tooth tower town toy track tractor
trail train trap treasure tree triangle truck trumpet trunk tunnel turkey turtle uncle uniform valley van vase
vegetable vehicle verse vessel village vine violin visitor vision voice wagon waiter wall walnut warrior watch water
wave weather wedding wheel whip whistle wife window wing winter witch wizard wolf woman wood wool word worker world
worm wrist writer yard year youth zebra zipper
"""

ADJECTIVES = """
able absent afraid ancient angry awful bare beautiful big bitter black blind blue bold boring brave brief bright broad
broken brown busy calm careful cautious cheap cheerful chilly clean clear clever cloudy clumsy cold common cool
correct crazy crooked cruel curious curly cute damp dangerous dark dear decent deep delicate dirty distant double dry
dull dusty eager early easy elegant empty enormous equal evil exact fair faithful famous fancy fat favorite fierce
final fine firm flat foolish foreign formal free fresh friendly full funny gentle glad gloomy golden good grand gray
greedy green half handsome happy hard harsh healthy heavy hidden hollow honest hot huge humble hungry icy idle jealous
jolly juicy kind large lazy light little lively local lonely long loose loud lovely low loyal lucky mad main major
mild minor modern modest muddy narrow nasty natural nervous new noble noisy normal odd old open ordinary pale patient
perfect plain pleasant polite poor popular pretty private proper proud public purple quick quiet rapid rare raw ready
red rich ripe rough round royal rude rusty sad safe salty secret serious shallow sharp shiny short shy sick silent
silly simple single sleepy slender slow small smart smooth soft solid sour special square steady steep sticky stiff
strange strict strong stubborn sudden sweet swift tall tame tender thick thin thirsty tidy tight tiny tired tough
typical ugly unusual useful usual vague vast violent warm weak wealthy weird wet white whole wicked wide wild wise
wooden worthy yellow young
"""

TRANSITIVE = """
accepted admired adored answered avoided baked begged blamed blessed borrowed bought broke brought brushed built
buried burned called carried carved caught chased checked chose claimed cleaned climbed closed collected cooked copied
counted covered crossed cut decided defended delivered described destroyed discovered divided dragged drew dropped
dried earned enjoyed entered examined explored expected fed filled finished fixed folded followed forgave forgot found
gathered gave grabbed greeted guarded guided heard held helped hid hired hugged hunted ignored imagined invented
invited joined judged kept kicked kissed knew lifted liked lit loaded locked lost loved made marked measured mended
met missed moved named needed noticed obeyed offered opened ordered owned packed painted passed patched paid picked
planned planted played pleased polished pressed promised protected pulled punished purchased pushed raised reached
recognized refused remembered removed repaired rescued returned rode rubbed ruined sang saved saw shared shook showed
sketched sold sought spoiled stole stopped stored studied surprised swallowed taught thanked threw tied took touched
traded trapped treated trusted turned used viewed visited wanted warned washed wasted watched watered weighed welcomed
wiped won wore wrapped wrote
"""

INTRANSITIVE = """
agreed appeared argued arrived ate awoke barked began blushed bowed breathed collapsed complained cried dreamed
drowned drifted escaped exploded faded failed fell fished flew frowned giggled grew grinned hesitated hurried jumped
kneeled landed laughed leaned left listened marched melted moaned nodded paused prayed ran relaxed rested rose roared
sailed sat screamed shivered shouted sighed slept slid smiled sneezed spoke stayed stood stumbled suffered swam talked
trembled vanished waited walked wandered waved went wept whispered whistled winked worked worried yawned yelled
"""

INFINITIVES = """
answer avoid bake blow borrow bring build buy call carry catch change choose clean climb close collect count cover cut
deliver describe draw drop feed fill find finish fix fold follow forget gather give guard guide hear help hide hold
judge keep leave lift lock lose make measure mend move open order pack paint pass pay pick plant play polish pull push
reach remember remove repair rescue return save see sell send share show sketch steal stop store study teach throw tie
touch trade trust turn understand use visit want wash waste watch wear weigh wrap write
"""

ADVERBS = """
again almost alone already always anyway away badly barely boldly bravely briefly calmly carefully certainly cheaply
clearly closely daily deeply eagerly early easily entirely exactly fairly finally firmly forever fully gently gladly
hardly happily honestly hourly indeed instead kindly lately loudly mainly merely mostly nearly neatly never normally
nowhere often openly outside perhaps plainly politely probably properly proudly quickly quietly rapidly rarely really
recently safely seldom seriously sharply silently simply slowly smoothly softly sometimes soon steadily strongly
suddenly surely sweetly tightly today together tomorrow twice usually warmly weekly wisely yesterday
"""

PLACES = """
Africa Alaska Arizona Asia Athens Austin Berlin Boston Brazil Canada Chicago China Cuba Dallas Denver Detroit Dublin
Egypt England Europe Florida France Geneva Georgia Germany Greece Hawaii Houston Idaho India Iowa Ireland Israel Italy
Japan Kansas Kenya London Madrid Maine Memphis Mexico Miami Montana Moscow Nashville Nevada Norway Ohio Oregon Paris
Peru Poland Portland Rome Russia Spain Sweden Texas Tokyo Toronto Utah Venice Vermont Vienna Virginia
"""

PREPOSITIONS = """
above across after against along among around before behind below beneath beside between beyond by for from inside
into near onto over past through toward under until upon with within without
"""

NUMBERS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety several many few
"""

PLURALS = """
apples arrows babies bags baskets beads bees bells birds boats bones books bottles boxes boys branches brothers
buckets cages cakes candles cards cats chairs children churches circles cities clothes clouds coins cookies cows
crayons cups daisies dishes dogs dollars doors dreams ducks eggs eyes feathers fences fingers flags flowers foxes
friends games geese gifts girls glasses gloves goats grapes hands hats hills horses houses islands jewels judges keys
kings knives ladies lambs lamps leaves lemons lessons letters lights lions matches men mice miles minutes months nails
nights nuts onions oranges pages pencils pictures pigs pillows plums puppies rabbits ribbons rings roads roses
sandwiches shells ships shoes shops sisters snakes songs stairs stars stories streets students teachers teeth things
thorns tickets tigers toys trains trees trucks turnips villages visions voices wagons wheels wings wishes wolves women
words years
"""


def all_words() -> set[str]:
    """Every word of the lists."""
    lists = (
        PEOPLE,
        NOUNS,
        ADJECTIVES,
        TRANSITIVE,
        INTRANSITIVE,
        INFINITIVES,
        ADVERBS,
        PLACES,
        PREPOSITIONS,
        NUMBERS,
        PLURALS,
    )
    return {word for group in lists for word in group.split()}
