using Millrace.E2E.Tests.Machines;

namespace Millrace.E2E.Tests.Helm;

/// <summary>What the chart says to Kubernetes, and what it refuses to say.</summary>
[Category("Helm")]
public class ChartTests
{
    private const string Chart = "charts/millrace";

    private const string ByLag = """
        {"enabled": true, "metrics": [{"type": "Pods", "pods": {
          "metric": {"name": "millrace_eventlog_lag"}, "target": {"type": "AverageValue", "averageValue": "50000"}}}]}
        """;

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
            "--set", "metrics.dashboards.enabled=true", "--set", "spark.enabled=true",
            "--set", "networkPolicy.usersFrom[0].team=operators",
            "--set", "roles.gateway.autoscaling.enabled=true", "--set-json",
            $"roles.streamProcessor.autoscaling={ByLag}");
        var answer = await _kubernetes.ApplyAsync(manifest, "--dry-run=server");
        Assert.That(answer, Does.Contain("statefulset.apps/millrace-gateway created (server dry run)"));
        Assert.That(answer, Does.Not.Contain("would violate PodSecurity"));
        string[] made =
        [
            "horizontalpodautoscaler.autoscaling/millrace-gateway", "deployment.apps/millrace-spark",
            "horizontalpodautoscaler.autoscaling/millrace-stream-processor", "configmap/millrace-dashboards",
            "networkpolicy.networking.k8s.io/millrace-members", "networkpolicy.networking.k8s.io/millrace-devices",
            "networkpolicy.networking.k8s.io/millrace-spark", "poddisruptionbudget.policy/millrace-gateway",
            .. More(values),
        ];
        Assert.That(made.Where(name => !answer.Contains($"{name} created")), Is.Empty);
    }

    private static string[] More(string values) => values switch
    {
        "production" =>
        [
            "certificate.cert-manager.io/millrace", "ingress.networking.k8s.io/millrace-api",
            "servicemonitor.monitoring.coreos.com/millrace", "statefulset.apps/millrace-s3",
        ],
        "small" => ["networkpolicy.networking.k8s.io/millrace-kafka", "secret/millrace-certificate"],
        _ => [],
    };

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
