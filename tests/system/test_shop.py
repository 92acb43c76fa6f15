"""Every step of the shop, as the quickstart shows it: real connections
between everybody, held against what a person wrote down."""

import pytest

from lab import manifest, matrix, shop


@pytest.fixture(scope="module", name="shop_lab")
def fixture_shop_lab(make_lab, build_dir):
    objects = manifest.load(shop.steps()[0])
    lab = make_lab(**manifest.node_settings(objects))
    manifest.run_pods(lab, objects)
    manifest.publish(lab.manifests, shop.steps()[0])
    lab.start_daemon(build_dir)
    return lab


@pytest.mark.parametrize("step", shop.steps(), ids=lambda step: step.stem)
def test_step(shop_lab, step):
    """In the order of the files: each adds to those before it."""
    shop.apply(shop_lab, step)
    expected = shop.expectation(step)
    assert matrix.differences(expected,
                              matrix.measure(shop_lab, expected)) == []


def test_everything_opens_again(shop_lab):
    """Without its policies the shop is as open as on its first day."""
    for step in shop.steps()[1:]:
        (shop_lab.manifests / step.name).unlink(missing_ok=True)
    shop_lab.wait()
    expected = shop.expectation(shop.steps()[0])
    assert matrix.differences(expected,
                              matrix.measure(shop_lab, expected)) == []
