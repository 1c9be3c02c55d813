"""A reload does what changed, and nothing else."""

import os
import signal
import time

from machines import CONF_D, VIP4

from namespaces.waiting import quiet_for, wait_until
from uml.directors import ADVERT_INTERVAL, LIMIT, SOLO, SOLO_PORT, Directors, Watch, files

ADVERT_GAP = ADVERT_INTERVAL + 1.0
"""Seconds between two adverts at most: the kernel is slow, but not as slow as to miss one."""


def solo_weight(directors: Directors) -> int:
    """The weight of the one server of the service `solo` in the kernel."""
    (line,) = (line for line in directors.pool() if ":43 " in line)
    return int(line.rpartition(" ")[2])


def expect_undisturbed(directors: Directors, watch: Watch) -> None:
    """Let the time pass in which somebody would have noticed the reload, and see that nobody did."""
    watch.wait_for_adverts(1)
    directors.wait_for_answers(time.time())
    watch.expect_service()
    assert watch.silence() < ADVERT_GAP


def test_one_weight_is_one_command(directors: Directors) -> None:
    watch = directors.watch()
    directors.tic.write(files(weight=5))

    done = directors.tic.reload()

    assert (0, "configuration 2 in force\n", "") == (done.returncode, done.stdout, done.stderr)
    wait_until(lambda: solo_weight(directors) == 5, within=LIMIT, what="the new weight")
    expect_undisturbed(directors, watch)
    assert ["SET_DEST"] == directors.tap.names(watch.begun)
    assert [line.replace(":43 -g -w 1", ":43 -g -w 5") for line in watch.table] == directors.table()


def test_one_weight_of_a_server_in_two_families_is_a_command_for_each(directors: Directors) -> None:
    watch = directors.watch()
    services = CONF_D["20-services.toml"] + "weight = 3\n"  # of web2, which stands last
    directors.tic.write({**files(weight=5), "20-services.toml": services})

    assert 0 == directors.tic.reload().returncode

    wait_until(lambda: len(directors.tap.names(watch.begun)) >= 2, within=LIMIT, what="the new weights")
    expect_undisturbed(directors, watch)
    assert ["SET_DEST", "SET_DEST"] == directors.tap.names(watch.begun)
    assert 2 == sum(line.endswith("-w 3") for line in directors.pool())
    directors.tic.write(files())
    assert 0 == directors.tic.reload().returncode
    wait_until(lambda: solo_weight(directors) == 1, within=LIMIT, what="the old weight")


def test_nothing_new_is_nothing_done(directors: Directors) -> None:
    watch = directors.watch()

    done = directors.tic.reload()

    assert (0, "configuration 5 in force\n") == (done.returncode, done.stdout)
    expect_undisturbed(directors, watch)
    watch.expect_table()


def test_services_come_go_and_change_beside_each_other(directors: Directors) -> None:
    watch = directors.watch()
    services = CONF_D["20-services.toml"].replace('scheduler = "rr"', 'scheduler = "wlc"')
    other = SOLO.format(address=VIP4, port=SOLO_PORT + 1, weight=7)
    directors.tic.write({**files(), "20-services.toml": services, "50-solo.toml": other})

    assert 0 == directors.tic.reload().returncode

    wanted = [line.replace("-s rr", "-s wlc") if ":42 " in line else line for line in watch.table if ":43 " not in line]
    wanted += [f"-A -t {VIP4}:44 -s rr", f"-a -t {VIP4}:44 -r 10.42.0.21:44 -g -w 7"]
    wait_until(lambda: sorted(wanted) == directors.table(), within=LIMIT, what=f"{wanted}")
    expect_undisturbed(directors, watch)
    assert ["DEL_SERVICE", "NEW_DEST", "NEW_SERVICE", *2 * ["SET_SERVICE"]] == sorted(directors.tap.names(watch.begun))

    directors.tic.write(files())
    assert 0 == directors.tic.reload().returncode
    wait_until(lambda: watch.table == directors.table(), within=LIMIT, what=f"{watch.table}")


def test_a_broken_file_is_refused_with_place_and_remedy(directors: Directors) -> None:
    watch = directors.watch()
    broken = CONF_D["20-services.toml"].replace('scheduler = "rr"', 'scheduler = "rrr"').replace("retry", "retyr")
    directors.tic.write({**files(weight=9), "20-services.toml": broken})

    done = directors.tic.reload()

    assert 1 == done.returncode
    for said in (done.stderr, watch.log()):
        assert "20-services.toml:5:1: check.answers.retyr: unknown key; did you mean retry?" in said
        assert "20-services.toml:11:1: virtual_server.service42.scheduler" in said
        assert "rrr" in said
    expect_undisturbed(directors, watch)
    watch.expect_table()
    assert 7 == directors.tic.peek()["daemon"]["generation"]


def test_ten_reloads_in_a_second_end_in_the_last_one(directors: Directors) -> None:
    watch = directors.watch()

    for weight in range(11, 21):
        directors.tic.write(files(weight=weight))
        os.kill(directors.tic.process.pid, signal.SIGHUP)
        quiet_for(0.08)

    wait_until(lambda: solo_weight(directors) == 20, within=LIMIT, what="the last weight")
    wait_until(lambda: directors.tic.peek()["daemon"]["phase"] == "running", within=LIMIT, what="the end of reloads")
    expect_undisturbed(directors, watch)
    assert 20 == solo_weight(directors)
    assert {"SET_DEST"} == set(directors.tap.names(watch.begun))
