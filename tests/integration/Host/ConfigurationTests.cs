using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

public class ConfigurationTests
{
    [Test]
    public async Task Everything_that_is_wrong_is_told_at_once_with_its_key()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("c.json"),
            """{"EventLog": {"Partitions": 0}, "Http": {"Address": "0.0.0.0"}, "Api": {"PageRowsMax": -1}}""");
        var result = await Command.MillraceAsync("check-config", "--config", folder.Sub("c.json"), "--data",
            folder.Path);

        Assert.That(result.ExitCode, Is.EqualTo(1));
        Assert.That(result.Error, Does.Contain("HO-0001").And.Contain("Partitions").And.Contain("Http:Address")
            .And.Contain("PageRowsMax"));
    }

    [Test]
    public async Task A_valid_configuration_is_told_to_be_so_and_an_unknown_role_is_wrong_usage()
    {
        using var folder = new TemporaryFolder();
        var valid = await Command.MillraceAsync("check-config", "--data", folder.Path);
        var unknown = await Command.MillraceAsync("check-config", "--roles", "gateway,kitchen", "--data", folder.Path);

        Assert.That((valid.ExitCode, valid.Error), Is.EqualTo((0, "")));
        Assert.That(unknown.ExitCode, Is.EqualTo(2));
        Assert.That(unknown.Error, Does.Contain("CL-0007").And.Contain("kitchen"));
    }
}
