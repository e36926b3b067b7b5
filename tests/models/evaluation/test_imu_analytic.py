"""What `evaluate imu-analytic` prints: within one percent of range offline and 100 ms behind, and g at rest."""

import json

import pytest

from fitmotion_models.evaluation.imu_analytic import as_dict, as_table, evaluate


def test_every_motion_is_within_one_percent_offline_and_live() -> None:
    rows = evaluate(frame_rates=(30.0,), lags_s=(0.1,))
    said = json.loads(json.dumps(as_dict(rows), allow_nan=False))
    assert set(said["motions"]) == {"pendulum", "wheel", "squat", "rest"}
    for by_rate in said["motions"].values():
        offline, (live,) = by_rate["30"]["offline"], by_rate["30"]["live"]
        for figures in (offline, live):
            assert figures["acc_percent_of_range"] < 1.0 and figures["gyro_percent_of_range"] < 1.0
        assert offline["lost"] == 0 and live["lost"] == 10  # those of the first lag, which have no past
        assert live["lag_ms"] == 100.0 <= live["waited_p50_ms"] <= live["waited_max_ms"] < 134.0
        assert abs(live["shift_ms"]) < 0.1
    rest = said["motions"]["rest"]["30"]
    assert rest["offline"]["up_axis_mean_m_s2"] == pytest.approx(9.81, abs=1e-4)
    assert rest["live"][0]["up_axis_mean_m_s2"] == pytest.approx(9.81, abs=1e-4)
    assert "9.810 m/s2" in as_table(rows)
