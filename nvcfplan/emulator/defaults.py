"""The world where none is given: five groups of four providers, all GPUs free.

As `examples/worlds/demo.yaml`, kept as a value so that no file has to be found or read.
"""

from __future__ import annotations

from nvcfplan.emulator.rules import ClusterRule, GpuRule, GroupRule, InstanceTypeRule, WorldFile

_ACCOUNT = "nca-demo-0001"
_PROVIDER_ACCOUNT = "nca-nvidia-0000"


def _gpu(name: str, capacity: int, types: dict[str, int]) -> GpuRule:
    """`types`: GPUs per instance; the first is the default one."""
    default = next(iter(types))
    return GpuRule(
        name=name,
        capacity=capacity,
        instance_types=tuple(
            InstanceTypeRule(name=one, gpu_count=count, is_default=one == default)
            for one, count in types.items()
        ),
    )


_A3 = {
    "a3-highgpu-8g_1x": 1,
    "a3-highgpu-8g_2x": 2,
    "a3-highgpu-8g_4x": 4,
    "a3-highgpu-8g_8x": 8,
}
_AZURE = {
    "AZURE.GPU.H100_1x": 1,
    "AZURE.GPU.H100_2x": 2,
    "AZURE.GPU.H100_4x": 4,
    "AZURE.GPU.H100_8x": 8,
}
_OCI = {"BM.GPU.A100-v2.8_1x": 1, "BM.GPU.A100-v2.8_8x": 8}
_L40S = {"ON-PREM.GPU.L40S_1x": 1, "ON-PREM.GPU.L40S_2x": 2, "ON-PREM.GPU.L40S_4x": 4}
_GFN = (_gpu("L40", 16, {"gl40_1.br20_2xlarge": 1}), _gpu("T10", 16, {"g6.full": 1}))

DEFAULT_WORLD = WorldFile(
    nca_id=_ACCOUNT,
    org="demo",
    groups=(
        GroupRule(name="GCP-ASIASE1-A", nca_id=_PROVIDER_ACCOUNT),
        GroupRule(name="AZURE-WESTUS2", nca_id=_PROVIDER_ACCOUNT, authorized=(_ACCOUNT,)),
        GroupRule(name="OCI-EU-FRANKFURT", nca_id=_PROVIDER_ACCOUNT, authorized=(_ACCOUNT,)),
        GroupRule(name="GFN", nca_id=_PROVIDER_ACCOUNT),
        GroupRule(name="byoc-lab", nca_id=_ACCOUNT, authorized=(_ACCOUNT,)),
    ),
    clusters=(
        ClusterRule(
            name="nvcf-gcp-prod-asiase1-a",
            groups=("GCP-ASIASE1-A",),
            region="ap-east-1",
            provider="GCP",
            k8s_version="v1.29.2-gke.1060000",
            gpus=(_gpu("H100", 8, _A3),),
        ),
        ClusterRule(
            name="nvcf-azure-westus2-1",
            groups=("AZURE-WESTUS2",),
            region="us-west-2",
            provider="AZURE",
            gpus=(_gpu("H100", 8, _AZURE),),
        ),
        ClusterRule(
            name="nvcf-azure-westus2-2",
            groups=("AZURE-WESTUS2",),
            region="us-west-2",
            provider="AZURE",
            gpus=(_gpu("H100", 8, _AZURE),),
        ),
        ClusterRule(
            name="nvcf-oci-fra-1",
            groups=("OCI-EU-FRANKFURT",),
            region="eu-central-1",
            provider="OCI",
            k8s_version="v1.29.10",
            gpus=(_gpu("A100_80GB", 16, _OCI),),
        ),
        ClusterRule(
            name="np-lax-01",
            groups=("GFN",),
            region="us-west-1",
            provider="GFN",
            k8s_version="v1.28.9",
            gpus=_GFN,
        ),
        ClusterRule(
            name="np-fra-02",
            groups=("GFN",),
            region="eu-central-1",
            provider="GFN",
            k8s_version="v1.28.9",
            gpus=_GFN,
        ),
        ClusterRule(
            name="byoc-cluster-1",
            groups=("byoc-lab",),
            region="us-west-2",
            provider="ON-PREM",
            attributes=("SOC2",),
            k8s_version="v1.31.1",
            gpus=(_gpu("L40S", 16, _L40S),),
        ),
    ),
)
