using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Sessions;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Tests.Sessions;

/// <summary>The ends of connections while the store takes no writes, and after.</summary>
public class SessionEndsTests
{
    private ServiceProvider _services = null!;
    private GatewayMetrics _metrics = null!;
    private MeterListener _listener = null!;
    private SessionEnds _ends = null!;
    private ClosingStore _store = null!;
    private long _leftOpen;

    [SetUp]
    public void Make()
    {
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = _services.GetRequiredService<IMeterFactory>();
        _metrics = new GatewayMetrics(meters);
        _leftOpen = 0;
        _listener = new MeterListener();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Name.EndsWith(".left.open", StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) => _leftOpen += count);
        _listener.Start();
        var store = DispatchProxy.Create<ISessionStore, ClosingStore>();
        _store = (ClosingStore)(object)store;
        _ends = new SessionEnds(
            store, Options.Create(new GatewayOptions { ConnectionsMax = 2 }), _metrics, TimeProvider.System);
    }

    [TearDown]
    public void Dispose()
    {
        _listener.Dispose();
        _metrics.Dispose();
        _services.Dispose();
    }

    [Test]
    public async Task Of_one_session_the_last_end_is_kept_and_takes_one_place()
    {
        await FailAsync("a", 1);
        await FailAsync("a", 3);
        await FailAsync("a", 2);
        await FailAsync("b", 4);

        Assert.That(await SavedAsync(), Is.EqualTo(new[] { ("a", 3L), ("b", 4L) }));
        Assert.That(_leftOpen, Is.Zero);
        Assert.That(await SavedAsync(), Is.Empty);
    }

    [Test]
    public async Task Ends_beyond_the_maximum_are_counted()
    {
        await FailAsync("a", 1);
        await FailAsync("b", 2);
        await FailAsync("c", 3);

        Assert.That(_leftOpen, Is.EqualTo(1));
        Assert.That(await SavedAsync(), Is.EqualTo(new[] { ("a", 1L), ("b", 2L) }));
    }

    [Test]
    public async Task One_that_fails_again_lets_the_others_go_first()
    {
        await FailAsync("a", 1);
        await FailAsync("b", 2);
        _store.Fails = true;
        Assert.That(async () => await _ends.SaveAgainAsync(10), Throws.InvalidOperationException);

        Assert.That(await SavedAsync(), Is.EqualTo(new[] { ("b", 2L), ("a", 1L) }));
    }

    private async Task FailAsync(string client, long epoch)
    {
        _store.Fails = true;
        var end = new SessionEnd(new SessionKey("pump", client), epoch, SessionClosure.End(dropsWill: true));
        try
        {
            await _ends.SaveAsync(end);
            Assert.Fail("saved");
        }
        catch (InvalidOperationException)
        {
            _store.Fails = false;
        }
    }

    private async Task<List<(string Client, long Epoch)>> SavedAsync()
    {
        _store.Fails = false;
        _store.Closed.Clear();
        await _ends.SaveAgainAsync(10);
        return [.. _store.Closed];
    }

    /// <summary>Knows how to close sessions, and no more.</summary>
    public class ClosingStore : DispatchProxy
    {
        public bool Fails { get; set; }

        public List<(string Client, long Epoch)> Closed { get; } = [];

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (Fails) throw new InvalidOperationException("The store takes no writes.");
            Closed.Add((((SessionKey)args![0]!).ClientId, (long)args[1]!));
            return new ValueTask<ClosedSession>(new ClosedSession(true, null));
        }
    }
}
