using Millrace.Batch.SparkConnect;

namespace Millrace.Batch.Tests;

public sealed class SparkAddressTests
{
    [TestCase("sc://spark", "http://spark:15002/")]
    [TestCase("sc://127.0.0.1:28002", "http://127.0.0.1:28002/")]
    [TestCase("sc://[::1]:15002/", "http://[::1]:15002/")]
    [TestCase("sc://spark:443/;use_ssl=true", "https://spark:443/")]
    [TestCase("sc://spark:15002/;token=a%3Db", "https://spark:15002/")]
    [TestCase("sc://spark:15002/;token=ab;use_ssl=false", "http://spark:15002/")]
    public void An_address_says_where_and_how(string text, string uri)
    {
        Assert.That(SparkAddress.TryParse(text, out var address, out _), Is.True);
        Assert.That(address!.Uri, Is.EqualTo(new Uri(uri)));
    }

    [Test]
    public void Values_follow_the_slash()
    {
        Assert.That(SparkAddress.TryParse("sc://h/;token=a%3Db;user_id=me;user_agent=it;x-team=seven;session_id=1",
            out var address, out _), Is.True);

        Assert.That((address!.Token, address.User, address.UserAgent), Is.EqualTo(("a=b", "me", "it")));
        Assert.That(address.Headers, Is.EqualTo(new Dictionary<string, string> { ["x-team"] = "seven" }));
    }

    [TestCase("spark:15002")]
    [TestCase("http://spark:15002")]
    [TestCase("sc://")]
    [TestCase("sc://spark/path")]
    [TestCase("sc://spark/;use_ssl=yes")]
    [TestCase("sc://spark/;token")]
    [TestCase("sc://spark/;user_id=a;user_id=b")]
    public void What_is_no_address_is_told(string text)
    {
        Assert.That(SparkAddress.TryParse(text, out _, out var wrong), Is.False);
        Assert.That(wrong, Is.Not.Empty);
    }
}
