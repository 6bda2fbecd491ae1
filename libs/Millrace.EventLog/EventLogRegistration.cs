using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.EventLog.Local;
using Millrace.EventLog.Retention;
using Millrace.Hosting;
using Millrace.Hosting.Options;

namespace Millrace.EventLog;

public static class EventLogRegistration
{
    /// <summary>
    /// The log in the data folder, opened when it is first asked for. Needs a <see cref="DataFolder"/> and a
    /// <see cref="TimeProvider"/>; options in section EventLog. The hub's topics are made before any other service
    /// starts, and what is old is deleted.
    /// </summary>
    public static IServiceCollection AddLocalEventLog(this IServiceCollection services)
    {
        services.AddEventLogBase();
        services.AddSingleton(provider => LocalLog.Open(
            provider.GetRequiredService<DataFolder>().Log,
            provider.GetRequiredService<IOptions<EventLogOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IEventLog>(provider => provider.GetRequiredService<LocalLog>());
        services.AddHostedService<LogRetention>();
        return services;
    }

    /// <summary>What every adapter has: the options, the hub's topics, and what queries may read.</summary>
    internal static IServiceCollection AddEventLogBase(this IServiceCollection services)
    {
        services.AddValidatedOptions<EventLogOptions>("EventLog");
        services.AddSingleton<IValidateOptions<EventLogOptions>, EventLogOptionsValidator>();
        services.AddHostedService<HubTopics>();
        services.AddValidatedOptions<QueryInputOptions>("Queries");
        services.AddSingleton<QueryInputs>();
        services.AddValidatedOptions<RetentionOptions>("EventLog:Retention");
        return services;
    }
}
