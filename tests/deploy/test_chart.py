"""The Helm chart makes objects that fit each other, the image and the program."""

import re
from typing import Any

import yaml
from tests.deploy.charts import CHART, ROOT, notes, rendered
from tests.deploy.images import dockerfile

import limner
from limner.cli import COMMANDS
from limner.config import Config


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in objects if each["kind"] == kind]


def test_servers_and_workers_run_the_image_as_it_wants_to_be_run() -> None:
    image = dockerfile()
    for deployment in of_kind(rendered(), "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert container["args"][0] in COMMANDS
        assert container["image"] == f"limner:{limner.__version__}"
        assert f"{pod['securityContext']['runAsUser']}" in image.user
        assert {str(port["containerPort"]) for port in container["ports"]} <= set(image.ports)
        named = {port["name"] for port in container["ports"]}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            assert container[probe]["httpGet"]["port"] in named
        mounted = {each["mountPath"] for each in container["volumeMounts"]}
        assert {image.env["LIMNER_DATA_DIR"], "/tmp"} <= mounted  # the file system itself is read-only


def test_every_selector_finds_the_pods_it_means() -> None:
    objects = rendered(podMonitor={"enabled": True})
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in of_kind(objects, "Deployment")
    }
    for deployment in of_kind(objects, "Deployment"):
        assert found(pods, deployment["spec"]["selector"]["matchLabels"]) == [deployment["metadata"]["name"]]
    [service] = of_kind(objects, "Service")
    assert found(pods, service["spec"]["selector"]) == ["shop-server"]
    [budget] = of_kind(objects, "PodDisruptionBudget")
    assert found(pods, budget["spec"]["selector"]["matchLabels"]) == ["shop-server"]
    [monitor] = of_kind(objects, "PodMonitor")
    assert found(pods, monitor["spec"]["selector"]["matchLabels"]) == ["shop-server", "shop-worker"]
    [ingress] = of_kind(objects, "Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}


def found(pods: dict[str, dict[str, str]], selector: dict[str, str]) -> list[str]:
    return sorted(name for name, labels in pods.items() if selector.items() <= labels.items())


def test_what_is_switched_off_is_not_there() -> None:
    kinds = {each["kind"] for each in rendered(ingress={"enabled": False})}
    assert kinds == {"Deployment", "Service", "PodDisruptionBudget"}


def test_its_settings_are_settings_and_reach_the_program() -> None:
    [server] = [each for each in of_kind(rendered(), "Deployment") if each["metadata"]["name"] == "shop-server"]
    environment = {each["name"]: each["value"] for each in server["spec"]["template"]["spec"]["containers"][0]["env"]}
    config = Config.from_env(environment | {"LIMNER_DATABASE_URL": "postgresql://database/limner"})
    assert config.public_url == "https://images.example.org"
    assert config.blobs_url == "s3://limner"
    assert len(config.trusted_proxies) == 1


def test_the_chart_follows_the_version_and_its_notes_name_a_deployment() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == limner.__version__
    [name] = re.findall(r"deploy/(\S+)", notes())
    assert name in {each["metadata"]["name"] for each in of_kind(rendered(), "Deployment")}
    assert (ROOT / "deploy/helm/limner/values.yaml").exists()
