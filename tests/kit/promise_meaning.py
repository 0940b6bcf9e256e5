"""What promises mean, said once more: over one call as it went, without a search; and all calls of small menus.

The calls come from `follows`, the rule by which the telephony and the state machine go, and not from what a proof
goes by. Keys are pressed at once, as late as can be, and in the last moment in which a menu may still follow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from speechcall.menus.rules import promise as forms
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import (
    ANSWERED,
    COMPLETE,
    IDLE,
    KEY,
    Decided,
    Entry,
    Plan,
    Then,
    ThenKind,
    after_wait,
    follows,
)
from speechcall.menus.rules.menu import ENTRIES, NO_KEY, Action, GotoMenu, Hangup, Lookup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.promise import Ending
from speechcall.menus.rules.walk import CallLimits, react, table_of, waits_of

URLS = ("https://shop.example/confirmed", "https://shop.example/refused?why=1", "https://shop.example/later")
PATTERNS = ("*/confirmed", "*/refused", "https://SHOP.example/*", "*later", "*/absent")
SOME_KEYS = ("d1", "d2", "d9")


@dataclass(frozen=True)
class Heard:
    """One thing that was heard in a menu, and what came of it."""

    menu: int
    heard: str
    key: str | None
    urls: tuple[str, ...]
    target: int | None
    hangs_up_after: bool = False
    opts_out: bool = False
    case: str | None = None
    """What a lookup behind it is answered; None: there is none."""


@dataclass(frozen=True)
class Went:
    """A call: all that was heard, how many menus were asked, how it ended (None: it goes on), how long it took."""

    heard: tuple[Heard, ...] = ()
    asked: int = 0
    ending: Ending | None = None
    msec: int = 0

    @property
    def keys(self) -> tuple[tuple[int, str, bool, str | None], ...]:
        """What the callee did, and what lookups were answered."""
        return tuple((one.menu, one.heard, one.hangs_up_after, one.case) for one in self.heard)


def breaks(rule: forms.Rule, call: Went, menus: Sequence[Menu]) -> bool:  # noqa: C901 – one case for each form
    """Whether a call through `menus` breaks a promise, by what docs/promises.md says of each form."""
    sent = [(at, url) for at, one in enumerate(call.heard) for url in one.urls]
    match rule:
        case forms.NeverSent(webhook):
            return any(_fits(webhook, url) for _, url in sent)
        case forms.NeverWithout(webhook, keys):
            pressed = [at for at, one in enumerate(call.heard) if one.heard in keys]
            return any(_fits(webhook, url) and not any(one <= at for one in pressed) for at, url in sent)
        case forms.NeverBy(webhook, lists):
            return any(_fits(webhook, url) and call.heard[at].key in lists for at, url in sent)
        case forms.NeverBoth(webhooks):
            return all(any(_fits(one, url) for _, url in sent) for one in webhooks)
        case forms.NeverTwice(webhook):
            return sum(_fits(webhook, url) for _, url in sent) > 1
        case forms.NeverEnds(ending):
            return call.ending is ending
        case forms.AlwaysSent(webhook, within, None, unless):
            at = next((at for at, url in sent if _fits(webhook, url)), None)
            return _is_late(call, -1, at, within, unless)
        case forms.AlwaysSent(webhook, within, after, unless):
            causes = [place for place, (_, url) in enumerate(sent) if _fits(after, url)]
            return any(
                _is_late(
                    call,
                    sent[cause][0],
                    next((at for at, url in sent[cause + 1 :] if _fits(webhook, url)), None),
                    within,
                    unless,
                )
                for cause in causes
            )
        case forms.AlwaysLeads(None, named, to):
            return any(not _has_a_key(menus, one.menu, to) for one in call.heard if named is None or one.menu in named)
        case forms.AlwaysLeads(key, named, to):
            pressed_in = [one for one in call.heard if one.heard == key and (named is None or one.menu in named)]
            return not all(_does(one, to) for one in pressed_in)
        case forms.AlwaysMenus(most):
            return call.asked > most
        case forms.AlwaysSeconds(most):
            return call.msec > most * 1000


def _is_late(call: Went, since: int, at: int | None, within: int | None, unless: Sequence[Ending]) -> bool:
    answered = [place for place, one in enumerate(call.heard) if one.heard not in ("hang_up", "prompt_error")]
    if within is not None:
        passed = sum(place > since for place in answered)
        if (at is None and passed >= within) or (at is not None and at - since > within):
            return True
    return at is None and call.ending is not None and call.ending not in unless


def _has_a_key(menus: Sequence[Menu], menu: int, to: forms.LeadsTo) -> bool:
    keys = [key for key in ENTRIES if key in menus[menu].actions]
    return any(all(_does(one, to) for one in all_that_follow(menus, menu, key)) for key in keys)


def _does(one: Heard, to: forms.LeadsTo) -> bool:
    if to.opts_out:
        return one.opts_out
    if to.webhook is not None:
        return any(_fits(to.webhook, url) for url in one.urls)
    return one.target is None if to.hangs_up else one.target == to.menu


def _fits(pattern: forms.Pattern, url: str) -> bool:
    text = pattern.text.replace("SHOP", "shop")
    return fnmatchcase(url if "?" in text else url.partition("?")[0], text)


# ------------------------------------------------------------------ all calls
def all_calls(
    menus: Sequence[Menu], limits: CallLimits, seconds: Mapping[str, float], keys: Sequence[str]
) -> Iterator[Went]:
    """Every call through `menus`, of callees who press `keys` (or a key that no telephone has), and nothing else.

    The other keys are like that one: no list and no promise names them.
    """
    plan = Plan(table_of(menus), limits.visits, limits.seconds * 1000, limits.silent_repeats, waits_of(menus))
    answer = Entry(1, None, ANSWERED, "", 0, Then(ThenKind.ASK, 0))
    waits = [round(seconds.get(menu.intro, 0) * 1000) + menu.idle_seconds * 1000 for menu in menus]
    yield from _from_here(menus, plan, waits, (*keys, "other", IDLE), (answer,), 0, Went())


def _from_here(
    menus: Sequence[Menu], plan: Plan, waits: Sequence[int], alphabet: Sequence[str], log: Any, menu: int, so_far: Went
) -> Iterator[Went]:
    asked = replace(so_far, asked=so_far.asked + 1)
    for heard, ending in (("hang_up", Ending.CALLER_HUNG_UP), ("prompt_error", Ending.PROMPT_UNAVAILABLE)):
        yield replace(asked, heard=(*asked.heard, Heard(menu, heard, None, (), None)), ending=ending)
    mine = (COMPLETE, "other", IDLE) if menus[menu].input else alphabet
    for one in (one for heard in mine for one in all_that_follow(menus, menu, heard)):
        heard, last = one.heard, plan.until_msec - 1 - asked.msec
        wait = waits[menu] + (0 if heard == IDLE else menus[menu].typing_seconds * 1000)
        moments = (
            {wait}
            if heard == IDLE
            else {0, wait, *(at for at in last_moments(menus, waits, one, last) if 0 <= at <= wait)}
        )
        for moment in moments:
            event, key = (IDLE, "") if heard == IDLE else (KEY, heard)
            for lookup in lookup_moments(menus, waits, one, plan.until_msec - 1 - asked.msec - moment):
                went = replace(asked, heard=(*asked.heard, one), msec=asked.msec + moment + lookup)
                entry = entry_of(plan, log, menu, event, key, asked.msec + moment, one, went.msec)
                if entry.then.kind is ThenKind.END:
                    reason = entry.then.reason
                    yield replace(went, ending=Ending(reason) if reason else Ending.COMPLETED)
                    continue
                yield from _from_here(menus, plan, waits, alphabet, (*log, entry), entry.then.menu or 0, went)
        if one.target is not None:
            left = replace(one, hangs_up_after=True, case=None)
            yield replace(asked, heard=(*asked.heard, left), ending=Ending.CALLER_HUNG_UP)


def last_moments(menus: Sequence[Menu], waits: Sequence[int], one: Heard, last: int) -> set[int]:
    """When a key may be pressed so that a menu follows in the last moment, `last`; or, if the menu that follows leads
    on in silence, the menu behind that.
    """
    target = one.target
    if target is None:
        return {last}
    silence = react(menus[target], IDLE)
    leads_on = silence.lookup is not None or silence.target is not None
    return {last, last - waits[target]} if leads_on else {last}


def lookup_moments(menus: Sequence[Menu], waits: Sequence[int], one: Heard, last: int) -> set[int]:
    """How long a lookup behind something heard may take: nothing; its time and the sound; until the last moment at
    which a menu follows (`last`), or at which the menu behind that one follows in silence.
    """
    longest = longest_lookup(menus, one)
    behind = last - waits[one.target] if one.target is not None else last
    return {0, longest, *(at for at in (last, behind) if 0 <= at <= longest)}


def longest_lookup(menus: Sequence[Menu], one: Heard) -> int:
    """How long a lookup behind something heard may take, with the sound, in milliseconds; 0: there is none."""
    lookup = react(menus[one.menu], one.heard).lookup
    return lookup.timeout_msec + 1000 if one.case is not None and lookup else 0


def entry_of(
    plan: Plan, log: Sequence[Entry], menu: int, event: str, key: str, at_msec: int, one: Heard, decided_msec: int
) -> Entry:
    """The entry for something heard, with what a lookup behind it has come to."""
    entry = Entry(len(log) + 1, menu, event, key, at_msec, follows(plan, log, menu, event, key, at_msec))
    if entry.then.kind is not ThenKind.WAIT:
        return entry
    target = one.target or 0
    then = after_wait(plan, log, entry, target, decided_msec)
    return entry.with_decision(Decided(entry.seq, one.case or "", target, decided_msec, then))


def steps_to(rule: forms.Rule, call: Went, menus: Sequence[Menu]) -> int:
    """After how many things heard a call that breaks a promise has broken it."""
    if isinstance(rule, forms.AlwaysLeads) and rule.key is None:
        # It is broken as soon as the last menu is asked, whatever is heard there.
        return len(call.heard) - 1
    going_on = replace(call, heard=call.heard[:-1], ending=None)
    is_needless = call.heard[-1].heard == "hang_up" and breaks(rule, going_on, menus)
    return len(call.heard) - is_needless


# ------------------------------------------------------------------ by chance
def small_menus(random: Random, keys: Sequence[str] = SOME_KEYS) -> tuple[Menu, ...]:
    """One to four menus with lists for some of few keys."""
    count = random.randint(1, 4)

    def one(index: int) -> Menu:
        asked = Input(1, random.choice((1, 2, 3)), "#", 1000) if random.random() < 0.2 else None
        names = (*((COMPLETE,) if asked else keys), *NO_KEY)
        lists = {key: _list(random, count) for key in names if random.random() < 0.55}
        return Menu(f"intro{index}", random.choice((1000, 2000, 5000)), lists, input=asked)

    return tuple(map(one, range(count)))


def _list(random: Random, menus: int) -> tuple[Action, ...]:
    hooks: list[Action] = [Webhook(random.choice(URLS)) for _ in range(random.choice((0, 0, 1, 1, 2)))]
    if random.random() < 0.2:
        hooks.append(OptOutStep("news"))
    ends: tuple[list[Action], ...] = ([], [Hangup()], [GotoMenu(random.randrange(menus))], [GotoMenu(menus - 1)])
    end = random.choice(ends)
    if random.random() < 0.15:
        end = [Lookup(URLS[2], {"paid": random.randrange(menus)}, random.randrange(menus), random.choice((1000, 4000)))]
    behind = [Webhook(URLS[0])] if random.random() < 0.1 else []
    return (*hooks, *end, *behind)


def random_promise(random: Random, of_keys: Sequence[str] = SOME_KEYS) -> dict[str, Any]:
    """A promise as JSON, of any form."""

    def webhook() -> str:
        return random.choice(PATTERNS)

    def keys() -> Any:
        some = (*of_keys, COMPLETE)
        return random.choice((random.choice(some), random.sample(some, random.randint(1, len(some)))))

    def sent() -> dict[str, Any]:
        more: dict[str, Any] = {"webhook": webhook()}
        if random.random() < 0.5:
            more["within"] = {"menus": random.randint(1, 3)}
        if random.random() < 0.4:
            more["after"] = webhook()
        if random.random() < 0.5:
            endings = ("callerHungUp", "promptUnavailable", "silence", "limit")
            more["unless"] = random.sample(endings, random.randint(0, 4))
        return more

    leads: Any = random.choice(("hangup", "optOut", {"menu": random.randint(0, 3)}, {"webhook": webhook()}))
    where: Any = random.choice(("every menu", random.randint(0, 3), random.sample(range(4), 2)))
    never = (
        lambda: {"webhook": webhook()},
        lambda: {"webhook": webhook(), "without": keys()},
        lambda: {
            "webhook": webhook(),
            "by": random.choice(("wrong", ["wrong", "d1"], "d2", COMPLETE, "silence", ["invalid", "wrong"])),
        },
        lambda: {"webhook": webhook(), "twice": True},
        lambda: {"both": [webhook(), webhook()]},
        lambda: {"ends": random.choice(("silence", "limit"))},
    )
    always = (
        sent,
        sent,
        lambda: {"key": random.choice((*of_keys, COMPLETE, "some key")), "in": where, "leadsTo": leads},
        lambda: {"menus": f"<= {random.randint(1, 3)}"},
        lambda: {"callSeconds": f"<= {random.randint(2, 20)}"},
    )
    if random.random() < 0.5:
        return {"never": random.choice(never)()}
    return {"always": random.choice(always)()}


def random_limits(random: Random, most_visits: int = 3) -> CallLimits:
    """Few menus and seconds, so that both are reached."""
    return CallLimits(random.randint(1, most_visits), random.choice((3, 6, 10, 900)), random.randint(0, 2))


def random_seconds(random: Random, menus: Sequence[Menu]) -> dict[str, float]:
    """The length of each introduction; of some not."""
    return {menu.intro: random.choice((0.0, 0.5, 2.25, 4.0)) for menu in menus if random.random() < 0.9}


def random_call(random: Random, menus: Sequence[Menu], limits: CallLimits, seconds: Mapping[str, float]) -> Went:
    """A call of a callee who does anything at all, at any moment."""
    plan = Plan(table_of(menus), limits.visits, limits.seconds * 1000, limits.silent_repeats, waits_of(menus))
    log: tuple[Entry, ...] = (Entry(1, None, ANSWERED, "", 0, Then(ThenKind.ASK, 0)),)
    went, menu = Went(), 0
    while went.ending is None:
        went = replace(went, asked=went.asked + 1)
        listed = menus[menu].own_keys()
        heard = random.choice(
            (IDLE, "other", random.choice(menus[menu].may_hear()), *([random.choice(listed)] * 5 if listed else ()))
        )
        if random.random() < 0.01:
            heard = random.choice(("hang_up", "prompt_error"))
            ending = Ending.CALLER_HUNG_UP if heard == "hang_up" else Ending.PROMPT_UNAVAILABLE
            return replace(went, heard=(*went.heard, Heard(menu, heard, None, (), None)), ending=ending)
        one = random.choice(all_that_follow(menus, menu, heard))
        if one.target is not None and random.random() < 0.01:
            left = replace(one, hangs_up_after=True, case=None)
            return replace(went, heard=(*went.heard, left), ending=Ending.CALLER_HUNG_UP)
        typing = 0 if heard == IDLE else menus[menu].typing_seconds
        wait = round(seconds.get(menus[menu].intro, 0) * 1000) + (menus[menu].idle_seconds + typing) * 1000
        msec = went.msec + (wait if heard == IDLE else random.choice((0, wait, random.randint(0, wait))))
        event, key = (IDLE, "") if heard == IDLE else (KEY, heard)
        decided_msec = msec + random.choice((0, longest_lookup(menus, one)))
        entry = entry_of(plan, log, menu, event, key, msec, one, decided_msec)
        ending_now = None
        if entry.then.kind is ThenKind.END:
            ending_now = Ending(entry.then.reason) if entry.then.reason else Ending.COMPLETED
        went = replace(went, heard=(*went.heard, one), msec=decided_msec, ending=ending_now)
        log = (*log, entry)
        menu = entry.then.menu or 0
    return went


def all_that_follow(menus: Sequence[Menu], menu: int, heard: str) -> list[Heard]:
    """What a list of a menu does that something heard has started: one, or one for each case of its lookup and else."""
    reaction = react(menus[menu], heard)
    actions = menus[menu].actions[reaction.key] if reaction.key else ()
    urls = tuple(action.url for place in reaction.webhooks if isinstance(action := actions[place], Webhook))
    made = Heard(menu, heard, reaction.key, urls, reaction.target, opts_out=bool(reaction.opt_outs))
    if reaction.lookup is None:
        return [made]
    return [replace(made, target=reaction.leads(case), case=case) for case in reaction.cases]


def with_some_urls(random: Random, menus: Sequence[Menu]) -> tuple[Menu, ...]:
    """The menus with webhooks to the URLs that promises by chance are about."""

    def changed(action: Action) -> Action:
        return Webhook(random.choice(URLS)) if isinstance(action, Webhook) else action

    return tuple(
        menu._replace(actions={key: tuple(map(changed, steps)) for key, steps in menu.actions.items()})
        for menu in menus
    )
