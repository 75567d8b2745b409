"""Rules that ask for the same thing more loosely: other words, fewer words, another order, a longer run-up.

They are rougher than those of `wording.py`, and meant to be: a model that has met "stop hiccups how" and "i was
wondering how to get rid of hiccups" looks for the words that carry the subject. Text in, text out.
"""

from __future__ import annotations

import random
import re

# Words and phrases that may stand for each other in a request. The longest that fits is taken first.
_SAME = """
get rid of/remove/stop/clear/lose
remove/take out/clean off/get out
clean/wash/tidy up
fix/repair/mend
make/prepare/create
cook/make/prepare
bake/make
write/compose/make/create/draft
tell/give
story/tale/little story
joke/something funny/funny joke
poem/verse/little poem/rhyme
big/large/huge
biggest/largest/greatest
small/little/tiny
smallest/tiniest
fast/quick/rapid
faster/quicker/more quickly
fastest/quickest
quickly/fast
start/begin/get started with
begin/start
stop/quit/avoid/prevent
keep/hold
buy/get/purchase
gift/present
kid/child
kids/children
mom/mother/mum
dad/father
grandma/grandmother/granny
grandpa/grandfather
boss/manager
coworker/colleague
friend/buddy/pal
movie/film
happy/glad/cheerful
sad/unhappy/down
angry/mad/upset
scared/afraid/frightened
tired/exhausted/sleepy
nervous/anxious/worried
bored/so bored
lonely/alone
smart/clever/intelligent
difference between/difference of/distinction between
happens/goes on
happen/occur/take place
causes/makes/is the reason for
cause/make
why do/how come/for what reason do
why does/how come/for what reason does
why is/how come/what is the reason that
why are/how come/what is the reason that
how do i/how can i/how to/how would i/how should i/what is the way to/what is the best way to/ways to
how can i/how do i/how could i/how to/ways to
what is/what's/what exactly is/what do you call
what does/what could
what are/what exactly are/which are
who was/who is/tell me who was/who exactly was
who is/who was
where is/in what place is/where can i find
when did/in which year did/what year did
how many/what number of/the number of
how much/what amount of
how far/what distance
how old/what age
how long/how much time
how big/what size
how fast/at what speed/what speed
how does/in what way does/how exactly does/by what means does
can you/could you/would you/will you
tell me about/talk about/say something about/describe/teach me about
explain/describe/clarify/tell me about/break down
good/nice/great
bad/poor/terrible
best/ideal/perfect
easy/simple
simple/easy/basic
hard/difficult/tough
tips/advice/suggestions/hints
ideas/suggestions
idea/suggestion
suggest/recommend/propose
recommend/suggest
help me/assist me to/show me how to
need/require/want
want/would like/wish
should i/do i have to/is it good to/ought i to
different/unlike
called/named
name/title
world/earth/planet
home/house
apartment/flat
car/automobile/vehicle
bike/bicycle
airplane/plane/aircraft
phone/cell phone/smartphone/mobile
tv/television
computer/pc/laptop
photo/picture/photograph
email/e-mail/mail/message
message/note/text
letter/note
job/work/position
exam/test
study/learn
learn/study/pick up
remember/memorize/keep in mind
forget/not remember
sleep/rest
fall asleep/get to sleep/drift off
wake up/get up
exercise/work out/train
eat/have
drink/have
food/meal/dish
dinner/supper/evening meal
breakfast/morning meal
healthy/good for me
cheap/low-cost/inexpensive
money/cash
save/put aside
spend/use
trip/journey/travel
travel/go
vacation/holiday
city/town
country/nation
river/stream
sea/ocean
forest/woods
stone/rock
rain/rainfall
hot/warm
cold/chilly
warm/heat
cool/chill
dark/black
light/bright
old/ancient/aged
new/fresh
begin with/start with
animal/creature
animals/creatures
dog/puppy
cat/kitty
rabbit/bunny
sick/ill/unwell
doctor/physician
pain/ache
human/person
humans/people/persons
people/humans/we
invent/come up with/think up
invented/came up with/created
discovered/found
made/created/built
built/constructed/made
live/dwell
lives/stays
famous/well-known/known
known for/famous for
important/significant/special
work/function/operate
works/functions/operates
use/apply/employ
used for/good for
show/display/print
find/locate/look for
count/number
add/put
delete/erase/remove
change/alter/turn
convert/change/turn
check/test/see
sort/order/arrange
list/array
function/method
program/script/app
error/problem/mistake
code/program
text/string
folder/directory
file/document
language model/llm/ai model
mean/stand for/signify
meaning/sense/definition
word/term
words/terms
sentence/line
short/brief/quick/little
beautiful/pretty/lovely
funny/amusing/silly
scary/spooky/creepy
talk/chat/speak
speak/talk
say/tell
thanks/thank you/cheers
hello/hi/hey
bye/goodbye/see you
"""
_SWAPS: dict[str, list[str]] = {}
for _line in _SAME.split("\n"):
    if _line:
        _head, *_others = _line.split("/")
        _SWAPS.setdefault(_head, []).extend(o for o in _others if o not in _SWAPS.get(_head, ()))
_PHRASES = sorted(_SWAPS, key=len, reverse=True)
_PATTERN = re.compile(r"\b(" + "|".join(re.escape(phrase) for phrase in _PHRASES) + r")\b")

_SMALL_TEXT = (
    "a an the is are was were be do does did can could would will you me i to of please my in on for it that this "
    "about tell some any so just there and"
)
_SMALL = frozenset(_SMALL_TEXT.split())
_QUESTION = re.compile(
    r"(?:can you |could you |please |do you know )?(?:tell me |explain |describe )?(?:about )?"
    r"(?:what|who|where|when|why|how|which)?(?:'s| is| are| was| were| do| does| did| can| should| would| to)?"
    r"(?: i| we| you| people| a| an| the)* (.+)"
)
_RUN_UPS = (
    "i was wondering, ",
    "my kid asked me: ",
    "my friend wants to know: ",
    "can you tell me ",
    "i would like to know ",
    "do you happen to know ",
    "could you please tell me ",
    "i have always wondered ",
    "tell me, ",
    "help me out here: ",
    "i am curious: ",
    "one more thing, ",
    "what do you know about this: ",
    "for school: ",
    "any idea ",
    "sorry, ",
)
_ENDS = (" (simple words)", " if you know", " in simple words", ", any idea?", " for beginners", " again", " exactly")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\s]+", text)


def _is_small(word: str) -> bool:
    return word.strip("?.!,'\"") in _SMALL


def loosely(request: str, rng: random.Random) -> str:
    """A rougher request for the same thing, in small letters; the request itself where it has lines or code."""
    if "\n" in request or "`" in request or not 2 <= len(request.split()) <= 24 or re.search(r"\d", request):
        return request
    text = request.lower().strip()
    end = "?" if text.endswith("?") else ""
    text = text.rstrip(".?! ")
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        found = list(_PATTERN.finditer(text))
        if found:
            match = rng.choice(found)
            text = text[: match.start()] + rng.choice(_SWAPS[match.group(1)]) + text[match.end() :]
    words = _words(text)
    carrying = [word for word in words if not _is_small(word)]
    draw = rng.random()
    if draw < 0.14 and len(carrying) >= 2:
        words = carrying
    elif draw < 0.22 and len(carrying) >= 2:
        words = rng.sample(carrying, len(carrying))
    elif draw < 0.5:
        words = [word for word in words if not _is_small(word) or rng.random() < 0.6] or words
    elif draw < 0.6:
        match = _QUESTION.fullmatch(text)
        words = _words(match.group(1)) if match and match.group(1) else words
    if rng.random() < 0.2 and len(carrying) >= 4:
        lost = rng.choice(carrying)
        words = [word for word in words if word != lost] or words
    text = " ".join(words)
    if rng.random() < 0.15:
        text = rng.choice(_RUN_UPS) + text
    if rng.random() < 0.06:
        text += rng.choice(_ENDS)
    if rng.random() < 0.35:
        text = text[0].upper() + text[1:]
    return text + (end if rng.random() < 0.6 else "")
