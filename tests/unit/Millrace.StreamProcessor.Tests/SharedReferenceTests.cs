using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Millrace.Primitives;
using Millrace.StreamProcessor.References;
using Millrace.TestKit;

namespace Millrace.StreamProcessor.Tests;

/// <summary>What a process has read of reference data, for all queries.</summary>
public class SharedReferenceTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private FakeTimeProvider _time = null!;
    private FakeSource _source = null!;
    private SharedReference _reference = null!;

    [SetUp]
    public void Make()
    {
        (_time, _source) = (new FakeTimeProvider(), new FakeSource());
        _reference = new SharedReference("rooms", _source, Interval, _time, NullLogger.Instance);
    }

    [Test]
    public async Task It_is_read_once_an_interval_however_often_it_is_asked_for()
    {
        Assert.That(_reference.IsUsed, Is.False);
        var first = await _reference.FirstAsync(default);
        for (var i = 0; i < 100; i++) Assert.That(_reference.Current, Is.SameAs(first));
        Assert.That(_source.Reads, Is.EqualTo(1));
        Assert.That(_reference.IsUsed, Is.True);

        _time.Advance(Interval);
        Assert.That(_reference.Current, Is.SameAs(first), "the new is read in the background");
        await Eventually.TrueAsync(() => _source.Reads == 2, "it was read again");
        Assert.That(_reference.Current, Is.SameAs(first), "what has not changed is the same list");
    }

    [Test]
    public async Task A_change_is_another_list()
    {
        var first = await _reference.FirstAsync(default);
        _source.Entry = [2];
        _time.Advance(Interval);
        await Eventually.TrueAsync(
            () => _reference.Current is { } now && now != first && now[0][0] == 2, "it is there");
        Assert.That(_reference.Age, Is.LessThan(Interval));
    }

    [Test]
    public async Task What_cannot_be_read_leaves_what_was_read_before_and_its_age_tells()
    {
        var first = await _reference.FirstAsync(default);
        _source.IsAway = true;
        for (var i = 1; i <= 3; i++)
        {
            _time.Advance(Interval);
            Assert.That(_reference.Current, Is.SameAs(first));
            var reads = 1 + i;
            await Eventually.TrueAsync(
                () => _reference.Current == first && _source.Reads == reads, "it was tried again");
        }

        Assert.That(_reference.Age, Is.EqualTo(3 * Interval));
        Assert.That(await _reference.FirstAsync(default), Is.SameAs(first), "whoever begins has it too");
        _source.IsAway = false;
        _time.Advance(Interval);
        await Eventually.TrueAsync(
            () => _reference.Current is not null && _reference.Age == TimeSpan.Zero, "it is back");
    }

    [Test]
    public async Task Who_waits_for_the_first_reading_hears_why_it_failed_and_may_ask_again_at_once()
    {
        _source.IsAway = true;
        var wrong = Assert.ThrowsAsync<MillraceException>(() => _reference.FirstAsync(default))!;
        Assert.That(wrong.Error.Code, Is.EqualTo("SP-0010"));
        Assert.That(wrong.Message, Does.Contain("rooms").And.Contain("away"));
        Assert.That(_reference.Current, Is.Null);
        _source.IsAway = false;
        Assert.That(await _reference.FirstAsync(default), Has.Count.EqualTo(1));
    }

    private sealed class FakeSource : IReferenceSource
    {
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        public bool IsAway { get; set; }

        public byte[] Entry { get; set; } = [1];

        public Task<IReadOnlyList<byte[]>> ReadAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref _reads);
            return IsAway ? throw new IOException("away") : Task.FromResult<IReadOnlyList<byte[]>>([[.. Entry]]);
        }
    }
}
