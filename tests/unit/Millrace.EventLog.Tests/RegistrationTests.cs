using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog.Retention;
using Millrace.Hosting;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.EventLog.Tests;

public class RegistrationTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public async Task The_topics_of_the_hub_are_there_before_a_service_starts()
    {
        using var host = Build(services => services.AddHostedService<Probe>());
        await host.StartAsync();
        var log = host.Services.GetRequiredService<IEventLog>();
        var seen = host.Services.GetServices<IHostedService>().OfType<Probe>().Single().Seen;
        Assert.That(seen, Is.EqualTo(
            new[] { "alerts", "control", "dead-letter", "device-messages", "lifecycle", "telemetry" }));
        Assert.That(log.FindTopic(Topics.Telemetry)!.Partitions, Is.EqualTo(4));
        Assert.That(log.FindTopic(Topics.DeadLetter)!.Partitions, Is.EqualTo(1));
        await host.StopAsync();
    }

    [Test]
    public async Task Another_number_of_partitions_is_refused_at_start()
    {
        using (var first = Build()) await first.StartAsync();
        using var second = Build(settings: ("EventLog:Partitions", "8"));
        Assert.That(async () => await second.StartAsync(), Throws.TypeOf<MillraceException>()
            .With.Message.Contains("LOG-0003").And.Message.Contains("4 partitions, 8 were asked for"));
    }

    [Test]
    public void All_options_that_are_wrong_are_told_at_once()
    {
        using var host = Build(settings:
        [
            ("EventLog:SegmentBytesMax", "1"), ("EventLog:Partitions", "0"), ("EventLog:SegmentAgeMax", "00:00:00"),
        ]);
        Assert.That(async () => await host.StartAsync(), Throws.TypeOf<OptionsValidationException>()
            .With.Message.Contains("SegmentBytesMax").And.Message.Contains("Partitions")
            .And.Message.Contains("SegmentAgeMax"));
    }

    [Test]
    public void Sizes_and_times_are_read_from_configuration()
    {
        using var host = Build(settings:
        [
            ("EventLog:SegmentBytesMax", "1MiB"), ("EventLog:Retention:TelemetryAgeMax", "3.00:00:00"),
        ]);
        var options = host.Services.GetRequiredService<IOptions<EventLogOptions>>().Value;
        var retention = host.Services.GetRequiredService<IOptions<RetentionOptions>>().Value;
        Assert.That(options.SegmentBytesMax, Is.EqualTo(ByteSize.FromMiB(1)));
        Assert.That(retention.TelemetryAgeMax, Is.EqualTo(TimeSpan.FromDays(3)));
    }

    private IHost Build(Action<IServiceCollection>? more = null, params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new DataFolder(_folder.Path));
        builder.Services.AddLogging();
        more?.Invoke(builder.Services);
        builder.Services.AddLocalEventLog();
        return builder.Build();
    }

    private sealed class Probe(IEventLog log) : IHostedService
    {
        public IReadOnlyList<string> Seen { get; private set; } = [];

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Seen = log.Topics;
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
