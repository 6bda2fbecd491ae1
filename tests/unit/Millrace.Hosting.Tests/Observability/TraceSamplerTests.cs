using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Millrace.Hosting.Observability;
using OpenTelemetry.Trace;

namespace Millrace.Hosting.Tests.Observability;

public class TraceSamplerTests
{
    private const ActivityTraceFlags Traced = ActivityTraceFlags.Recorded;

    [TestCase(ActivityKind.Server, Traced, ExpectedResult = true)]
    [TestCase(ActivityKind.Server, ActivityTraceFlags.None, ExpectedResult = false)]
    [TestCase(ActivityKind.Consumer, Traced, ExpectedResult = true)]
    [TestCase(ActivityKind.Client, ActivityTraceFlags.None, ExpectedResult = false)]
    public bool What_has_a_parent_is_traced_when_that_is(ActivityKind kind, ActivityTraceFlags flags) =>
        Takes(Sampler(share: 1), kind, Parent(flags));

    [TestCase(ActivityKind.Server, 1, ExpectedResult = true)]
    [TestCase(ActivityKind.Server, 0, ExpectedResult = false)]
    [TestCase(ActivityKind.Client, 1, ExpectedResult = false)]
    public bool Without_a_parent_a_share_of_what_enters_is_traced(ActivityKind kind, double share) =>
        Takes(Sampler(share), kind, default);

    [Test]
    public void No_more_than_some_a_second_begin_and_what_has_begun_goes_on()
    {
        var sampler = Sampler(share: 1, perSecondMax: 2);
        var entered = Enumerable.Range(0, 5).Count(_ => Takes(sampler, ActivityKind.Server, Parent(Traced)));

        Assert.That(entered, Is.EqualTo(2));
        Assert.That(Takes(sampler, ActivityKind.Consumer, Parent(Traced)));
    }

    private static bool Takes(TraceSampler sampler, ActivityKind kind, ActivityContext parent) =>
        sampler.ShouldSample(new SamplingParameters(parent, ActivityTraceId.CreateRandom(), "span", kind)).Decision
            == SamplingDecision.RecordAndSample;

    private static ActivityContext Parent(ActivityTraceFlags flags) =>
        new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), flags, isRemote: true);

    private static TraceSampler Sampler(double share, int perSecondMax = 100) =>
        new(new TracingOptions { SampleRatio = share, PerSecondMax = perSecondMax }, new FakeTimeProvider());
}
