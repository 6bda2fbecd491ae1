using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.TestKit;

namespace Millrace.Batch.Tests;

public sealed class SparkOptionsTests
{
    [TestCase("Batch:Kind", "Spark", "Spark:Remote is missing")]
    [TestCase("Spark:Remote", "http://spark", "Spark:Remote cannot be used")]
    [TestCase("Spark:TokenFile", "/none", "Spark:TokenFile is '/none'")]
    [TestCase("Spark:CaFile", "/none", "Spark:CaFile means nothing without use_ssl=true")]
    [TestCase("Spark:ArchiveRoot", "bucket", "Spark:ArchiveRoot is 'bucket'")]
    [TestCase("Spark:FilesMax", "0", "Spark:FilesMax is '0'")]
    public void What_is_wrong_is_told_at_start(string key, string value, string told)
    {
        var settings = new Dictionary<string, string?> { ["Batch:Kind"] = "spark", [key] = value };
        if (key != "Batch:Kind") settings.TryAdd("Spark:Remote", "sc://spark");

        Assert.That(() => Validate(settings),
            Throws.InstanceOf<OptionsValidationException>().With.Message.Contains(told));
    }

    [Test]
    public void A_secret_is_not_shown()
    {
        var e = Assert.Catch(() => Validate(new()
        {
            ["Batch:Kind"] = "Spark",
            ["Spark:Remote"] = "sc://spark/path;token=secret",
        }));
        Assert.That(e!.Message, Does.Not.Contain("secret"));
    }

    [Test]
    public void Nothing_of_it_matters_on_duckdb() =>
        Assert.That(() => Validate(new() { ["Spark:Remote"] = "nonsense" }), Throws.Nothing);

    [Test]
    public void A_cluster_with_tls_a_token_and_authorities_is_fine()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.Sub("token"), "t");
        File.WriteAllText(folder.Sub("ca.pem"), "");
        Assert.That(() => Validate(new()
        {
            ["Batch:Kind"] = "Spark",
            ["Spark:Remote"] = "sc://spark:443/;use_ssl=true",
            ["Spark:TokenFile"] = folder.Sub("token"),
            ["Spark:CaFile"] = folder.Sub("ca.pem"),
            ["Spark:ArchiveRoot"] = "s3a://bucket/prefix",
        }), Throws.Nothing);
    }

    private static void Validate(Dictionary<string, string?> settings) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
        .AddBatchOptions()
        .BuildServiceProvider()
        .GetRequiredService<IStartupValidator>()
        .Validate();
}
