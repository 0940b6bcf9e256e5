"""What is paused or cancelled, in memory; its flags are those that the messages in memory look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from speechcall.messages.rules.stops import CampaignNumbers, Held, Stop, StopState
from speechcall.messages.rules.turns import NONE_CANCELLED
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import StopJob, Stopped
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages

LANES = (False, True)


@dataclass
class MemoryStops:
    """A `StopStore` in memory. `campaigns`: those that there are, with their numbers; `lists`: theirs, in order."""

    messages: MemoryMessages
    campaigns: dict[tuple[str, str], CampaignNumbers] = field(default_factory=dict)
    lists: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    _stops: dict[Stopped, Stop] = field(default_factory=dict)
    _jobs: dict[Stopped, tuple[StopJob, int]] = field(default_factory=dict)
    _upto_msec: dict[str, int] = field(default_factory=dict)

    def pause(self, what: Stopped, now_msec: int, expires_at: int) -> Stop | None:
        if what.kind is Brake.ACCOUNT:
            self._change_turns(what.account_id, is_paused=True)
            return Stop(paused_msec=now_msec)
        found = self._find(what)
        if found is None or found.cancelled_msec is not None:
            return found
        return self._put(what, Stop(found.paused_msec or now_msec))

    def resume(self, what: Stopped) -> Stop | None:
        if what.kind is Brake.ACCOUNT:
            self._change_turns(what.account_id, is_paused=False)
            return Stop()
        found = self._find(what)
        if found is None or found.cancelled_msec is not None:
            return found
        return self._put(what, Stop())

    def cancel(self, what: Stopped, now_msec: int, expires_at: int, *, hangs_up: bool) -> Stop | None:
        found = self._find(what)
        if found is None:
            return None
        self._begin(what, now_msec, hangs_up=hangs_up)
        return self._put(what, Stop(cancelled_msec=found.cancelled_msec or now_msec))

    def cancel_queue(self, account_id: str, upto: int, now_msec: int) -> None:
        if any(self.messages.turns.find(account_id, lane).cancelled_upto >= upto for lane in LANES):
            return
        self._change_turns(account_id, cancelled_upto=upto)
        self._upto_msec[account_id] = now_msec
        self._begin(Stopped(Brake.ACCOUNT, account_id), now_msec, hangs_up=False, upto=upto)

    def numbers(self, account_id: str, campaign: str) -> CampaignNumbers | None:
        return self.campaigns.get((account_id, campaign))

    def held(self, account_id: str, list_id: str, campaign: str, *, is_urgent: bool) -> Held:
        turn = self.messages.turns.find(account_id, is_urgent)
        own = [Stopped(Brake.LIST, account_id, list_id), Stopped(Brake.CAMPAIGN, account_id, campaign)]
        stops = [self._stops.get(one, Stop()) for one in own]
        paused = Stop(paused_msec=0) if turn.is_paused else Stop()
        upto_msec = self._upto_msec.get(account_id) if turn.cancelled_upto > NONE_CANCELLED else None
        return Held((*stops, paused), turn.cancelled_upto, upto_msec)

    def is_paused(self, account_id: str, campaign: str) -> bool:
        what = Stopped(Brake.CAMPAIGN, account_id, campaign)
        return self._stops.get(what, Stop()).state is StopState.PAUSED

    def jobs(self, limit: int) -> Sequence[StopJob]:
        for what, msec in self.messages.jobs_begun:
            self._begin(what, msec, hangs_up=True)
        self.messages.jobs_begun.clear()
        return sorted((job for job, _ in self._jobs.values()), key=lambda job: job.begun_msec)[:limit]

    def take_job(self, job: StopJob, now_msec: int, until_msec: int) -> StopJob | None:
        found, until = self._jobs.get(job.what, (None, 0))
        if found is None or until > now_msec:
            return None
        return self._set(replace(found, revision=found.revision + 1), until_msec)

    def save_job(self, job: StopJob, until_msec: int) -> StopJob | None:
        found, _ = self._jobs.get(job.what, (None, 0))
        if found is None or found.revision != job.revision:
            return None
        return self._set(replace(job, revision=job.revision + 1), until_msec)

    def end_job(self, job: StopJob) -> bool:
        found, _ = self._jobs.get(job.what, (None, 0))
        if found is None or found.revision != job.revision:
            return False
        del self._jobs[job.what]
        return True

    def lists_of(self, account_id: str, campaign: str, after: str, limit: int) -> Sequence[str]:
        found = sorted(self.lists.get((account_id, campaign), ()), key=int)
        return [one for one in found if int(one) > int(after or "0")][:limit]

    def _begin(self, what: Stopped, now_msec: int, *, hangs_up: bool, upto: int = 0) -> None:
        found, _ = self._jobs.get(what, (StopJob(what, now_msec), 0))
        revision = found.revision + 1
        self._set(StopJob(what, now_msec, hangs_up or found.hangs_up, upto, revision=revision), 0)

    def _set(self, job: StopJob, until_msec: int) -> StopJob:
        self._jobs[job.what] = job, until_msec
        return job

    def _find(self, what: Stopped) -> Stop | None:
        if what.kind is Brake.CAMPAIGN and (what.account_id, what.name) not in self.campaigns:
            return None
        return self._stops.get(what, Stop())

    def _put(self, what: Stopped, stop: Stop) -> Stop:
        self._stops[what] = stop
        name: object = what.name if what.kind is Brake.LIST else (what.account_id, what.name)
        self.messages.brakes[what.kind, name] = "" if stop == Stop() else stop.state.value
        return stop

    def _change_turns(self, account_id: str, **changes: Any) -> None:
        turns = self.messages.turns
        for lane in LANES:
            turns.change(replace(turns.find(account_id, lane), **changes))
