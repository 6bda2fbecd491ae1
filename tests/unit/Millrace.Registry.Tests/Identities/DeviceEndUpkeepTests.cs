using Millrace.Contracts;
using Millrace.Registry.Identities;
using Millrace.Stores.Identities;
using Millrace.TestKit;

namespace Millrace.Registry.Tests.Identities;

public class DeviceEndUpkeepTests
{
    private static readonly DateTimeOffset Ended = DateTimeOffset.FromUnixTimeMilliseconds(1_780_000_000_000);

    private RegistryFixture _fixture = null!;
    private IIdentityStore _store = null!;

    [SetUp]
    public async Task Start()
    {
        _fixture = await RegistryFixture.StartAsync(options => options.EndsUntoldAfter = TimeSpan.FromSeconds(1));
        _store = _fixture.Get<IIdentityStore>();
    }

    [TearDown]
    public async Task Stop() => await _fixture.DisposeAsync();

    [Test]
    public async Task A_deletion_that_was_kept_and_not_told_is_told()
    {
        var registry = _fixture.Get<DeviceRegistry>();
        var pump = await registry.CreateAsync(new NewDevice("pump"), "me");
        Assert.That(await _store.DeleteAsync("pump", pump.Revision, Ended), Is.True);

        await Eventually.TrueAsync(async () => (await _store.ListUntoldEndsAsync()).Count == 0, "told");
        var told = await _fixture.ReadAsync(Topics.Lifecycle, ContractJson.Default.LifecycleEvent);
        Assert.That(told.Where(one => one.Kind == LifecycleKind.Deleted), Is.EqualTo(new[]
        {
            new LifecycleEvent(LifecycleKind.Deleted, "pump", Ended, GenerationId: pump.GenerationId),
        }));
        var notices = await _fixture.ReadAsync(Topics.Control, ContractJson.Default.ControlNotice);
        Assert.That(notices, Is.EqualTo(Enumerable.Repeat(new ControlNotice(ControlKinds.Device, "pump"), 2)));
    }

    [Test]
    public async Task What_is_there_still_is_not_told_to_be_gone()
    {
        var registry = _fixture.Get<DeviceRegistry>();
        var pump = await registry.CreateAsync(new NewDevice("pump"), "me");
        await _store.DeleteAsync("pump", pump.Revision, TimeProvider.System.GetUtcNow());
        await _store.CreateAsync(pump);

        await Eventually.TrueAsync(async () => (await _store.ListUntoldEndsAsync()).Count == 0, "looked at");
        var told = await _fixture.ReadAsync(Topics.Lifecycle, ContractJson.Default.LifecycleEvent);
        Assert.That(told.Select(one => one.Kind), Is.EqualTo(new[] { LifecycleKind.Created }));
    }

    [Test]
    public async Task A_deletion_that_was_told_is_told_once()
    {
        var registry = _fixture.Get<DeviceRegistry>();
        await registry.CreateAsync(new NewDevice("pump"), "me");
        await registry.DeleteAsync("pump", null, "me");

        Assert.That(await _store.ListUntoldEndsAsync(), Is.Empty);
    }
}
