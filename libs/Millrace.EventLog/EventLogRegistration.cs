using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.EventLog.Local;
using Millrace.EventLog.Retention;
using Millrace.Hosting;
using Millrace.Hosting.Node;
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
        services.AddSingleton(provider => LocalLog.Open(
            provider.GetRequiredService<DataFolder>().Log,
            provider.GetRequiredService<IOptions<EventLogOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<IEventLog>(provider => provider.GetRequiredService<LocalLog>());
        services.AddSingleton<IRetainedLog>(provider => provider.GetRequiredService<LocalLog>());
        return services.AddEventLogServices();
    }

    /// <summary>What goes with the log, whatever keeps it.</summary>
    internal static IServiceCollection AddEventLogServices(this IServiceCollection services)
    {
        services.AddValidatedOptions<EventLogOptions>("EventLog");
        services.AddSingleton<IValidateOptions<EventLogOptions>, EventLogOptionsValidator>();
        services.AddSingleton<RecordClock>();
        services.AddSingleton<EventLogReadiness>();
        services.AddHostedService<HubTopics>();
        services.AddValidatedOptions<QueryInputOptions>("Queries");
        services.AddSingleton<QueryInputs>();
        services.AddValidatedOptions<RetentionOptions>("EventLog:Retention");
        services.TryAddSingleton<Housekeeping>();
        services.AddHostedService<LogRetention>();
        return services;
    }
}
