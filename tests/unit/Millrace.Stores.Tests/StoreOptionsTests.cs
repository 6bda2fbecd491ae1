using Microsoft.Extensions.Options;
using Millrace.TestKit;

namespace Millrace.Stores.Tests;

public class StoreOptionsTests
{
    [TestCase("TelemetryRetention", "-00:00:01")]
    [TestCase("AlertRetention", "-1.00:00:00")]
    [TestCase("OutputRetention", "-00:00:01")]
    [TestCase("RetentionInterval", "00:00:00")]
    [TestCase("RetentionInterval", "2.00:00:00")]
    [TestCase("RowBytesMax", "0")]
    [TestCase("RowBytesMax", "1GiB")]
    [TestCase("LockTimeoutSeconds", "0")]
    public void A_setting_that_cannot_be_is_told_at_start_by_its_key(string key, string value)
    {
        using var folder = new TemporaryFolder();
        using var host = StoreHost.Open(folder.Path, (key, value));
        var error = Assert.CatchAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.That(error!.Message, Does.Contain(key));
    }

    [Test]
    public async Task The_defaults_are_good()
    {
        using var folder = new TemporaryFolder();
        using var host = StoreHost.Open(folder.Path);
        await host.StartAsync();
        await host.StopAsync();
        Assert.That(Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName), Does.Contain("warm.db"));
    }
}
