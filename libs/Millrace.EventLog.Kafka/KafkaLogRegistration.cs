using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.EventLog.Retention;
using Millrace.Hosting.Options;

namespace Millrace.EventLog.Kafka;

public static class KafkaLogRegistration
{
    private const int PartitionsDefault = 32;

    /// <summary>The options in section EventLog:Kafka, which mean something when EventLog:Kind says so.</summary>
    public static IServiceCollection AddKafkaLogOptions(this IServiceCollection services)
    {
        services.AddValidatedOptions<KafkaLogOptions>("EventLog:Kafka");
        services.AddSingleton<IValidateOptions<KafkaLogOptions>, KafkaLogOptionsValidator>();
        return services;
    }

    /// <summary>
    /// The log on a Kafka cluster. Needs <see cref="AddKafkaLogOptions"/> and a <see cref="TimeProvider"/>. The hub's
    /// topics are made before any other service starts, which waits for the cluster.
    /// </summary>
    public static IServiceCollection AddKafkaEventLog(this IServiceCollection services)
    {
        services.AddOptions<EventLogOptions>().PostConfigure<IConfiguration>((options, configuration) =>
        {
            if (configuration[$"EventLog:{nameof(options.Partitions)}"] is null) options.Partitions = PartitionsDefault;
        });
        services.AddSingleton(provider => new KafkaLog(
            provider.GetRequiredService<IOptions<KafkaLogOptions>>().Value,
            provider.GetRequiredService<IOptions<EventLogOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IEventLog>(provider => provider.GetRequiredService<KafkaLog>());
        services.AddSingleton<IRetainedLog>(provider => provider.GetRequiredService<KafkaLog>());
        services.AddHostedService<Groups.LagMeter>();
        services.AddHostedService<SizeLimitsNotice>();
        return services.AddEventLogServices();
    }
}
