using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Contract.Tests.EventLog;

/// <summary>Three real brokers. Each test has topics and groups of its own, by their names.</summary>
public sealed class KafkaLogContractTests : EventLogContract
{
    private string _prefix = "";

    protected override async ValueTask<IEventLog> OpenAsync()
    {
        _prefix = $"t{Guid.NewGuid():N}.";
        return new KafkaLog(await KafkaBrokers.OptionsAsync(_prefix));
    }

    protected override void Clean() => KafkaBrokers.DeleteTopicsAsync(_prefix).GetAwaiter().GetResult();
}
