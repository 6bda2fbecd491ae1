using System.Text.RegularExpressions;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Helm;

/// <summary>What the chart makes of its values; no cluster is asked.</summary>
[Category("Helm")]
public partial class TemplateTests
{
    private const string Chart = "charts/millrace";
    private const string Bridge = """[{"Name": "plant", "Host": "broker", "Subscriptions": [{"Topic": "#"}]}]""";
    private static readonly Shell Here = new(Shell.Root);

    [OneTimeSetUp]
    public void FindHelm()
    {
        if (Tool.Find("helm") is null) Assert.Ignore("helm is not installed.");
    }

    [TestCase("")]
    [TestCase("keepData=false")]
    public async Task No_release_has_a_secret_that_a_rollback_would_bring_back(string more)
    {
        var secrets = (await RenderAsync("cluster.tls.enabled=true", more)).Where(each => each.Contains("kind: Secret"))
            .ToList();
        string[] names =
        [
            "millrace-authority", "millrace-certificate", "millrace-cluster", "millrace-secrets", "millrace-kafka",
            "millrace-s3",
        ];
        Assert.That(secrets.Where(each => !each.Contains("helm.sh/hook: ")), Is.Empty);
        var made = secrets.Where(each => each.Contains("helm.sh/hook: pre-install,pre-upgrade")).Select(NameOf);
        Assert.That(made, Is.EquivalentTo(names));
        var gone = secrets.Where(each => each.Contains("helm.sh/hook: post-delete")).ToList();
        Assert.That(gone.Select(NameOf), Is.EquivalentTo(more.Length > 0 ? names : []));
        Assert.That(gone, Has.All.Contain("hook-delete-policy: before-hook-creation,hook-succeeded"));
    }

    [TestCase("", "replicas: 2")]
    [TestCase("roles.gateway.autoscaling.min=3", "replicas: 3")]
    [TestCase("roles.gateway.replicas=12", "replicas: 10")]
    public async Task A_role_that_begins_to_scale_by_itself_keeps_its_pods(string more, string replicas) => Assert.That(
        await RoleAsync("gateway", "roles.gateway.autoscaling.enabled=true", more), Does.Contain(replicas));

    [Test]
    public async Task The_command_in_each_pod_finds_the_API_and_a_pod_says_what_stopped_it()
    {
        foreach (var role in new[] { "gateway", "stream-processor", "archiver", "api" })
        {
            var pod = await RoleAsync(role);
            Assert.That(pod, Does.Contain("terminationMessagePolicy: FallbackToLogsOnError"));
            Assert.That(pod.Contains("MILLRACE_SERVER, value: \"http://millrace-api:8080\""),
                Is.EqualTo(role != "api"), role);
        }
    }

    [Test]
    public async Task Ingress_and_Prometheus_of_production_reach_the_pods()
    {
        var policy = await OneAsync("NetworkPolicy", "millrace-members", "-f", $"{Chart}/values-production.yaml");
        Assert.That(policy, Does.Contain("""{"kubernetes.io/metadata.name":"ingress-nginx"}""")
            .And.Contain("""{"kubernetes.io/metadata.name":"monitoring"}"""));
    }

    [Test]
    public async Task An_authority_that_others_trust_is_asked_for_no_name_of_the_cluster()
    {
        var certificate = await OneAsync("Certificate", "millrace", "-f", $"{Chart}/values-production.yaml");
        Assert.That(certificate, Does.Contain("- devices.example.com").And.Not.Contain("localhost")
            .And.Not.Contain(".svc").And.Not.Contain("127.0.0.1"));
        var test = await OneAsync("Pod", "millrace-round-trip", "-f", $"{Chart}/values-production.yaml");
        Assert.That(test, Does.Contain("--tls-name 'devices.example.com'").And.Contain("optional: true"));
    }

    [TestCase(1, "\"SharedGroup\": \"millrace\"", false)]
    [TestCase(2, "\"SharedGroup\": \"millrace\"", true)]
    public async Task Several_gateways_fetch_a_message_of_a_bridge_once(int gateways, string group, bool shared)
    {
        var config = await OneAsync("ConfigMap", "millrace-config", "--set-json", $"bridges={Bridge}", "--set",
            $"roles.gateway.replicas={gateways}");
        Assert.That(config.Contains(group), Is.EqualTo(shared), config);
    }

    [Test]
    public async Task Servers_have_hours_to_read_what_they_have_and_follow_their_configuration()
    {
        var cassandra = await OneAsync("StatefulSet", "millrace-cassandra", "-f", $"{Chart}/values-production.yaml");
        var kafka = await OneAsync("StatefulSet", "millrace-kafka", "-f", $"{Chart}/values-production.yaml");
        Assert.That(cassandra, Does.Contain("periodSeconds: 2, failureThreshold: 10800"));
        Assert.That(kafka, Does.Contain("periodSeconds: 2, failureThreshold: 3600"));
        var one = await OneAsync("StatefulSet", "millrace-kafka", "--set", "kafka.replicas=1");
        var (before, after) = (ConfigPattern().Match(one).Value, ConfigPattern().Match(kafka).Value);
        Assert.That(before, Is.Not.Empty.And.Not.EqualTo(after));
    }

    [TestCase(true)]
    [TestCase(false, "cassandra.repairDays=0")]
    [TestCase(false, "cassandra.replicas=1")]
    public async Task Cassandra_repairs_itself_where_it_has_copies(bool repairs, params string[] values) => Assert.That(
        (await OneAsync("StatefulSet", "millrace-cassandra", [.. Set(values)])).Contains("- name: repair"),
        Is.EqualTo(repairs));

    [Test]
    public async Task Pods_end_before_they_are_killed() => Assert.That(
        await OneAsync("ConfigMap", "millrace-config"), Does.Contain("\"StopTimeout\": \"80s\""));

    [TestCase("autoscaling of millrace-api: min is more than max", "roles.api.autoscaling.enabled=true",
        "roles.api.autoscaling.min=11")]
    [TestCase("issuerRef", "certificate.certManager.enabled=true", "devices.hosts={a.example.com}")]
    [TestCase("devices.hosts is empty", "certificate.certManager.enabled=true",
        "certificate.certManager.issuerRef.name=example")]
    [TestCase("the chart's Spark trusts the authorities of its image alone", "spark.enabled=true", "s3.enabled=false",
        "external.s3.bucket=b", "external.s3.caSecret=ca")]
    [TestCase("'/kafka'", "kafka.repairDays=7")]
    [TestCase("repairDays", "cassandra.repairDays=11")]
    [TestCase("usersFrom", "networkPolicy.usersFrom.team=operators")]
    [TestCase("each gateway fetches every message", "bridges[0].Name=plant", "bridges[0].Host=broker",
        "bridges[0].Subscriptions[0].Topic=a", "bridges[0].SharedGroup=")]
    public async Task What_would_not_work_is_refused(string told, params string[] values)
    {
        var (code, _, error) = await Here.TryAsync("helm", ["template", "millrace", Chart, .. Set(values)]);
        Assert.That((code, error), Is.EqualTo((1, error)));
        Assert.That(error, Does.Contain(told));
    }

    [Test]
    public async Task Who_shuts_others_out_is_told_whom()
    {
        string[] install = ["install", "millrace", Chart, "--dry-run=client", .. Set(["ingress.enabled=true"]),
            .. Set(["ingress.host=a.b"])];
        Assert.That(await Here.RunAsync("helm", install), Does.Contain("let only namespace default ask"));
        Assert.That(await Here.RunAsync("helm", [.. install, "--set-json", """networkPolicy.usersFrom=[{"a":"b"}]"""]),
            Does.Not.Contain("let only namespace"));
    }

    private static Task<string> RoleAsync(string role, params string[] values) =>
        OneAsync("StatefulSet", $"millrace-{role}", [.. Set(values)]);

    private static async Task<List<string>> RenderAsync(params string[] values) =>
        [.. (await TemplateAsync([.. Set(values)])).Split("\n---\n")];

    private static Task<string> TemplateAsync(params string[] arguments) =>
        Here.RunAsync("helm", ["template", "millrace", Chart, .. arguments]);

    private static IEnumerable<string> Set(IEnumerable<string> values) =>
        values.Where(value => value.Length > 0).SelectMany(value => new[] { "--set", value });

    private static async Task<string> OneAsync(string kind, string name, params string[] arguments) =>
        (await TemplateAsync(arguments)).Split("\n---\n")
            .Single(each => each.Contains($"\nkind: {kind}\n") && NameOf(each) == name);

    private static string NameOf(string manifest) => NamePattern().Match(manifest).Groups[1].Value;

    [GeneratedRegex("^  name: (\\S+)$", RegexOptions.Multiline)]
    private static partial Regex NamePattern();

    [GeneratedRegex("millrace/config: .+")]
    private static partial Regex ConfigPattern();
}
