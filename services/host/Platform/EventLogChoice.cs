using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Platform;

/// <summary>The event log that the configuration asks for.</summary>
internal static class EventLogChoice
{
    public static IServiceCollection AddEventLog(this IServiceCollection services, IConfiguration configuration)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddKafkaLogOptions();
        var isKafka = Enum.TryParse<EventLogKind>(configuration["EventLog:Kind"], ignoreCase: true, out var kind)
            && kind == EventLogKind.Kafka;
        return isKafka ? services.AddKafkaEventLog() : services.AddLocalEventLog();
    }
}
