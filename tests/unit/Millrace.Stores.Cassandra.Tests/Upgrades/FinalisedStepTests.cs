using Microsoft.Extensions.Time.Testing;
using Millrace.Stores.Cassandra.Schema;
using Millrace.Stores.Cassandra.Upgrades;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Tests.Upgrades;

public class FinalisedStepTests
{
    private static readonly Migration Step = Migrations.All[^2];
    private readonly Upgrade _upgrade = new();
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task It_is_asked_about_once_a_minute_until_it_is_and_never_again()
    {
        var step = new FinalisedStep(_upgrade, Step, _time);
        _upgrade.Finalised = Migrations.NumberOf(Step) - 1;
        for (var i = 0; i < 3; i++) Assert.That(await step.IsFinalisedAsync(default), Is.False);
        Assert.That(_upgrade.Reads, Is.EqualTo(1));

        _upgrade.Finalised++;
        Assert.That(await step.IsFinalisedAsync(default), Is.False, "it is known in a minute");
        _time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 3; i++) Assert.That(await step.IsFinalisedAsync(default), Is.True);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.That(await step.IsFinalisedAsync(default), Is.True);
        Assert.That(_upgrade.Reads, Is.EqualTo(2));
    }

    [Test]
    public async Task It_stays_so_while_a_newer_version_with_further_steps_comes()
    {
        _upgrade.Finalised = Migrations.NumberOf(Step);
        Assert.That(_upgrade.Finalised, Is.LessThan(_upgrade.Known));
        Assert.That(await new FinalisedStep(_upgrade, Step, _time).IsFinalisedAsync(default), Is.True);
    }

    private sealed class Upgrade : IUpgradeStore
    {
        public int Finalised { get; set; }

        public int Reads { get; private set; }

        public int Known => Migrations.All.Length;

        public ValueTask<UpgradeState> ReadAsync(CancellationToken ct)
        {
            Reads++;
            return new ValueTask<UpgradeState>(new UpgradeState(Known, Known, Finalised));
        }

        public ValueTask<UpgradeState> FinaliseAsync(CancellationToken ct) => throw new NotSupportedException();
    }
}
