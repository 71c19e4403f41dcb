"""English words that say nothing about what a customer asks; used to read questions and titles, never to change text."""

from __future__ import annotations

_WORDS = """
a about actually after again all already also am an and any anybody anyone anything are aren arent as at awesome be
because been before being both but by came can cannot cant come cool could couldn couldnt d dear did didn didnt
different do does doesn doesnt doing don done dont each either else even ever far few for from get gets getting
give given go goes going gone good got great had happen happened happening happens has hasn hasnt have haven havent
having he hello help her here hers hey hi him his hope how i if im in instead into is isn isnt it its ive just keep
kind kindly know let like little ll long longer look looking lot lovely m madam made make makes making many may
maybe me mean means might mine more most much must my myself need needs nice no not nothing now of off oh ok okay
on once one only onto or other our ours out over own perfect please possible possibly put quite rather re really
regards right s said same say see seem seems shall she should shouldn shouldnt since sir so some somebody someone
something soon still such sure t take takes taking team tell than thank thanks that thats the their them then there
these they thing things think this those though through to today told too took tried try trying unable until up
upon us use used using ve very want wanted wants was wasn wasnt way we well went were weren what whatever when
where whether which while who whom whose why will with within without won wonder wonderful wondering wont work
worked working works would wouldn wouldnt yes yet you your youre yours
"""

STOP_WORDS = frozenset(_WORDS.split())
