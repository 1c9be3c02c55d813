from stayalived.ipvs.model import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Destination,
    EditDestination,
    EditService,
    Entry,
    Service,
)
from stayalived.ipvs.plan import plan
from uml.cases import NAT, ONE, RR, TWO, WEB, WEB6, changed

OURS = {WEB}


def test_nothing_differs_nothing_is_done() -> None:
    table = {WEB: Entry(RR, {ONE: NAT})}

    assert [] == plan(table, {WEB: Entry(RR, {ONE: NAT})}, OURS)


def test_a_changed_weight_is_one_operation() -> None:
    heavier = changed(NAT, weight=2)

    operations = plan({WEB: Entry(RR, {ONE: NAT, TWO: NAT})}, {WEB: Entry(RR, {ONE: heavier, TWO: NAT})}, OURS)

    assert [EditDestination(WEB, ONE, heavier)] == operations


def test_a_service_stands_before_its_destinations() -> None:
    assert [AddService(WEB, RR), AddDestination(WEB, ONE, NAT)] == plan({}, {WEB: Entry(RR, {ONE: NAT})}, OURS)


def test_another_scheduler_and_another_method_keep_connections() -> None:
    wlc, direct = Service(scheduler="wlc"), Destination(method="DR", weight=1)

    operations = plan({WEB: Entry(RR, {ONE: NAT})}, {WEB: Entry(wlc, {ONE: direct})}, OURS)

    assert [EditService(WEB, wlc), EditDestination(WEB, ONE, direct)] == operations


def test_who_comes_is_there_before_who_goes_has_gone() -> None:
    operations = plan({WEB: Entry(RR, {ONE: NAT})}, {WEB: Entry(RR, {TWO: NAT})}, OURS)

    assert [AddDestination(WEB, TWO, NAT), DeleteDestination(WEB, ONE)] == operations


def test_weights_rise_before_others_fall() -> None:
    heavy, idle = changed(NAT, weight=5), changed(NAT, weight=0)

    operations = plan({WEB: Entry(RR, {ONE: heavy, TWO: idle})}, {WEB: Entry(RR, {ONE: idle, TWO: heavy})}, OURS)

    assert [EditDestination(WEB, TWO, heavy), EditDestination(WEB, ONE, idle)] == operations


def test_a_service_of_ours_that_nobody_wants_goes_last() -> None:
    operations = plan({WEB6: Entry(RR, {ONE: NAT})}, {WEB: Entry(RR)}, {WEB, WEB6})

    assert [AddService(WEB, RR), DeleteService(WEB6)] == operations


def test_services_of_others_are_left_alone() -> None:
    assert [] == plan({WEB6: Entry(RR, {ONE: NAT})}, {}, OURS)
