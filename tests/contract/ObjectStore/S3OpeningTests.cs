using Millrace.Primitives;

namespace Millrace.Contract.Tests.ObjectStore;

/// <summary>What a real store says of a bucket that may not be used.</summary>
public sealed class S3OpeningTests
{
    /// <summary>Without a store all are skipped, also those that look at what opening one throws.</summary>
    [OneTimeSetUp]
    public Task FindAsync() => S3Node.ServersAsync();

    [Test]
    public void A_bucket_that_is_not_there_is_refused() => Assert.That(
        async () => await S3Node.OpenAsync(("CreateBucket", "false")),
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0005").And.Message.Contains("NoSuchBucket"));

    [Test]
    public void Credentials_that_are_not_the_stores_are_refused() => Assert.That(
        async () => await S3Node.OpenAsync(("Credentials:SecretKey", "wrong")),
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith("OB-0005"));
}
