using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Options;

namespace Millrace.EventLog.Kafka;

public static class KafkaLogRegistration
{
    /// <summary>
    /// The log on a Kafka cluster. Needs a <see cref="TimeProvider"/>; options in sections EventLog and EventLog:Kafka.
    /// The hub's topics are made before any other service starts.
    /// </summary>
    public static IServiceCollection AddKafkaEventLog(this IServiceCollection services)
    {
        services.AddEventLogBase();
        services.AddValidatedOptions<KafkaLogOptions>("EventLog:Kafka");
        services.AddSingleton<IEventLog>(provider => new KafkaLog(
            provider.GetRequiredService<IOptions<KafkaLogOptions>>().Value,
            provider.GetRequiredService<IOptions<EventLogOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        return services;
    }
}
