using Amazon.S3.Model;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.ObjectStore.S3;
using S3Bucket = Millrace.ObjectStore.S3.S3Bucket;

namespace Millrace.ObjectStore.Tests;

/// <summary>What is wrong with the options is said with its key, and what they say is where requests go.</summary>
public sealed class S3OptionsTests
{
    [TestCase("Bucket", "", "ObjectStore:S3:Bucket is missing")]
    [TestCase("Bucket", "hub/plant", "what follows a slash goes into Prefix")]
    [TestCase("Prefix", "/plant", "ObjectStore:S3:Prefix is '/plant'")]
    [TestCase("Region", "", "ObjectStore:S3:Region is empty")]
    [TestCase("Endpoint", "minio:9000", "ObjectStore:S3:Endpoint is 'minio:9000'")]
    [TestCase("CaFile", "missing.pem", "ObjectStore:S3:CaFile is 'missing.pem'")]
    [TestCase("PartSize", "1MiB", "ObjectStore:S3:PartSize is 1MiB")]
    [TestCase("PartsInFlightMax", "0", "ObjectStore:S3:PartsInFlightMax is '0'")]
    [TestCase("RequestTimeout", "1ms", "ObjectStore:S3:RequestTimeout is '00:00:00.0010000'")]
    [TestCase("RetriesMax", "21", "ObjectStore:S3:RetriesMax is '21'")]
    [TestCase("Credentials:SecretKey", null, "goes with one of SecretKey and SecretKeyFile")]
    [TestCase("Credentials:SecretKeyFile", "missing", "ObjectStore:S3:Credentials:SecretKeyFile is 'missing'")]
    [TestCase("Credentials:Source", "File", "AccessKey means nothing when Source is File")]
    [TestCase("Credentials:StsEndpoint", "sts", "ObjectStore:S3:Credentials:StsEndpoint is 'sts'")]
    public void What_is_wrong_is_told_with_its_key(string key, string? value, string said)
    {
        Assert.That(() => Read((key, value)),
            Throws.InstanceOf<OptionsValidationException>().With.Message.Contains(said));
        Assert.That(() => Read((key, value), ("Kind", "Files")),
            key is "PartsInFlightMax" or "RequestTimeout" or "RetriesMax"
                ? Throws.InstanceOf<OptionsValidationException>()
                : Throws.Nothing);
    }

    [TestCase(null, null, "https://hub.s3.eu-central-1.amazonaws.com/")]
    [TestCase(null, "true", "https://s3.eu-central-1.amazonaws.com/hub/")]
    [TestCase("http://minio:9000", null, "http://minio:9000/hub/")]
    [TestCase("http://minio:9000", "false", "http://hub.minio:9000/")]
    public void The_bucket_stands_in_the_path_or_in_the_host_name(string? endpoint, string? pathStyle, string begin)
    {
        var options = Read(("Endpoint", endpoint), ("PathStyle", pathStyle), ("Prefix", "plant-1"));
        using var bucket = new S3Bucket(options, null!, TimeProvider.System);

        var url = bucket.Client.GetPreSignedURL(new GetPreSignedUrlRequest
        {
            BucketName = bucket.Name,
            Key = bucket.NameOf("a/b"),
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1),
            Protocol = begin.StartsWith("https", StringComparison.Ordinal)
                ? Amazon.S3.Protocol.HTTPS
                : Amazon.S3.Protocol.HTTP,
        });

        Assert.That(url, Does.StartWith(begin + "plant-1/a/b?"));
    }

    private static S3ObjectStoreOptions Read(params (string Key, string? Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["ObjectStore:Kind"] = "S3",
            ["ObjectStore:S3:Bucket"] = "hub",
            ["ObjectStore:S3:Region"] = "eu-central-1",
            ["ObjectStore:S3:Credentials:AccessKey"] = "key",
            ["ObjectStore:S3:Credentials:SecretKey"] = "secret",
        };
        foreach (var (key, value) in settings)
            all[key == "Kind" ? "ObjectStore:Kind" : $"ObjectStore:S3:{key}"] = value;
        using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(all).Build())
            .AddS3Options().AddFileObjectStore()
            .BuildServiceProvider();
        return services.GetRequiredService<IOptions<S3ObjectStoreOptions>>().Value;
    }
}
