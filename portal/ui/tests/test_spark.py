from portal.ui.spark import Spark, spark


def test_the_highest_value_is_at_the_top_and_nothing_at_the_bottom():
    assert spark([0, 2, 4]) == Spark("0,19 1,10 2,1", 2, 6, 4)


def test_an_hour_without_calls_is_no_line():
    assert spark([0] * 60) == Spark("", 59, 0, 0)
    assert spark([]).points == ""
