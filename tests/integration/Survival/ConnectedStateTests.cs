namespace Millrace.Integration.Tests.Survival;

/// <summary>What is shown of devices whose gateway could not say good-bye for them.</summary>
public class ConnectedStateTests() : PlatformTests(isShared: false)
{
    [Test]
    public async Task Devices_of_a_killed_gateway_are_shown_as_disconnected_when_it_has_started_again()
    {
        using var gone = await Platform.ConnectAsync("gone", await Platform.RegisterAsync("gone"));
        var key = await Platform.RegisterAsync("back");
        using var back = await Platform.ConnectAsync("back", key);
        await Platform.ShowsAsync("gone", true);
        await Platform.ShowsAsync("back", true);

        await Platform.KillAsync();
        await Platform.StartAsync();
        using var again = await Platform.ConnectAsync("back", key);
        var state = await Platform.ShowsAsync("gone", false);
        Assert.That(state.GetProperty("disconnectReason").GetString(), Is.EqualTo("gateway-lost"));
        await Platform.ShowsAsync("back", true);
    }
}
