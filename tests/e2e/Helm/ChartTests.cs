using Millrace.E2E.Tests.Machines;

namespace Millrace.E2E.Tests.Helm;

/// <summary>What the chart says to Kubernetes, and what it refuses to say.</summary>
[Category("Helm")]
public class ChartTests
{
    private const string Chart = "charts/millrace";

    private static Kubernetes _kubernetes = null!;

    [OneTimeSetUp]
    public static async Task StartAsync()
    {
        _kubernetes = await Kubernetes.StartAsync();
        await _kubernetes.MakeNamespaceAsync();
        await _kubernetes.ApplyAsync(Kinds);
        await _kubernetes.KubectlAsync("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all");
    }

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        if (_kubernetes is not null) await _kubernetes.DisposeAsync();
    }

    [TestCase("small")]
    [TestCase("production")]
    [TestCase("external")]
    public async Task Kubernetes_takes_what_the_values_make(string values)
    {
        var file = $"{Chart}/values-{values}.yaml";
        await _kubernetes.HelmAsync("lint", Chart, "--strict", "-f", file);
        var manifest = await _kubernetes.HelmAsync("template", "millrace", Chart, "-f", file,
            "--set", "queries[0].name=hot", "--set", "queries[0].text=SELECT 1", "--set", "metrics.rules.enabled=true",
            "--set", "roles.gateway.autoscaling.enabled=true");
        var answer = await _kubernetes.ApplyAsync(manifest, "--dry-run=server");
        Assert.That(answer, Does.Contain("statefulset.apps/millrace-gateway created (server dry run)"));
        Assert.That(answer, Does.Not.Contain("would violate PodSecurity"));
    }

    [TestCase("kafka.replicas=2", "/kafka/replicas")]
    [TestCase("image.tag=latest", "/image/tag")]
    [TestCase("roles.gateway.replica=2", "replica")]
    [TestCase("queries[0].name=no text", "queries")]
    [TestCase("devices.service.type=Ingress", "/devices/service/type")]
    [TestCase("kafka.enabled=false", "external.kafka.bootstrapServers is missing")]
    public async Task A_value_that_does_not_fit_is_refused(string value, string told)
    {
        var (code, _, error) = await _kubernetes.TryHelmAsync("template", "millrace", Chart, "--set", value);
        Assert.That((code, error), Is.EqualTo((1, error)));
        Assert.That(error.Replace(".", "/"), Does.Contain(told.Replace(".", "/")));
    }

    /// <summary>The kinds of cert-manager and of the Prometheus operator, as far as they must be known.</summary>
    private static string Kinds => string.Join("\n---\n", Kind("cert-manager.io", "certificates", "Certificate"),
        Kind("monitoring.coreos.com", "servicemonitors", "ServiceMonitor"),
        Kind("monitoring.coreos.com", "prometheusrules", "PrometheusRule"));

    private static string Kind(string group, string plural, string kind) => $$"""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: {{plural}}.{{group}} }
        spec:
          group: {{group}}
          scope: Namespaced
          names: { plural: {{plural}}, singular: {{kind.ToLowerInvariant()}}, kind: {{kind}} }
          versions:
            - name: v1
              served: true
              storage: true
              schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
        """;
}
