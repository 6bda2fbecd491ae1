using System.Text;
using CsCheck;

namespace Millrace.Contracts.Tests;

public sealed class EventTimeTests
{
    private static readonly long EnqueuedAtMs =
        new DateTimeOffset(2026, 11, 22, 10, 30, 0, 250, TimeSpan.Zero).ToUnixTimeMilliseconds();

    [TestCase("2026-11-22T10:29:59Z")]
    [TestCase("2026-11-22T10:29:59.1Z")]
    [TestCase("2026-11-22T10:29:59.12Z")]
    [TestCase("2026-11-22T10:29:59.1234567Z")]
    [TestCase("2026-11-22T12:29:59+02:00")]
    [TestCase("2026-11-22 10:29:59")]
    [TestCase("2026-02-29T10:29:59Z")]
    [TestCase("2026-11-22T24:00:00Z")]
    [TestCase("2026-11-22T10:29:60Z")]
    [TestCase("2026-11-22T10:29:59.Z")]
    [TestCase("2026-11-22T10:29:59.12345678Z")]
    [TestCase("0000-11-22T10:29:59Z")]
    [TestCase("2026-10-23T10:30:00.249Z")]
    [TestCase("2026-10-23T10:30:00.250Z")]
    [TestCase("2026-11-22T10:35:00.250Z")]
    [TestCase("2026-11-22T10:35:00.251Z")]
    [TestCase("yesterday")]
    [TestCase("")]
    public void Bytes_are_judged_as_text_is(string creationTime)
    {
        var expected = TelemetryMessage.EventAt(EnqueuedAtMs, creationTime);

        Assert.That(EventTime.Choose(EnqueuedAtMs, Encoding.UTF8.GetBytes(creationTime)), Is.EqualTo(expected));
    }

    [Test]
    public void Any_plausible_time_reads_to_its_millisecond()
    {
        Gen.Select(Gen.Long[-29L * 86_400_000, 4 * 60_000], Gen.Int[0, 7]).Sample((aheadMs, digits) =>
        {
            var created = DateTimeOffset.FromUnixTimeMilliseconds(EnqueuedAtMs + aheadMs);
            var fraction = digits == 0 ? "" : "." + new string('f', digits);
            var text = created.ToString("yyyy-MM-dd'T'HH:mm:ss" + fraction) + "Z";
            return EventTime.Choose(EnqueuedAtMs, Encoding.UTF8.GetBytes(text))
                == TelemetryMessage.EventAt(EnqueuedAtMs, text);
        });
    }
}
