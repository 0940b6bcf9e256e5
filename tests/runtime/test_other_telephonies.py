"""The stacks of the other providers under Lambda's own runtime: their events, and the demonstration's calls."""

from functools import partial

import pytest

from local.cloud.laptop_cloud import Cloud
from local.cloud.simulated_providers import simulated
from local.tools.demo import Cast, play, settings_for
from speechcall.telephony.provider import ProviderName

pytestmark = [pytest.mark.runtime, pytest.mark.timeout(400)]


@pytest.mark.parametrize("telephony", [name for name in ProviderName if name is not ProviderName.CONNECT])
def test_the_demonstration_goes_as_the_specification_says_with_each_telephony(telephony):
    cast = Cast()
    with Cloud(settings_for(cast, telephony, "runtime")) as cloud:
        for file in simulated(telephony).event_files:
            name = cloud.template.functions[file.function].name
            is_sensible, answer = file.judge(partial(cloud.functions.invoke, name, file.load()))
            assert is_sensible, (file.path, answer)
        assert play(cloud, cast) == []
