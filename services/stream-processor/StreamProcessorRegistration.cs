using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Millrace.EventLog;
using Millrace.Extensions;
using Millrace.Hosting.Options;
using Millrace.Models;
using Millrace.StreamProcessor.Queries;
using Millrace.StreamProcessor.References;
using Millrace.StreamProcessor.Sinks;
using Millrace.StreamProcessor.Sources;
using Millrace.StreamProcessor.WarmWriter;

namespace Millrace.StreamProcessor;

/// <summary>Queries and the warm writer.</summary>
public static class StreamProcessorRegistration
{
    public static IServiceCollection AddMillraceStreamProcessor(this IServiceCollection services)
    {
        services.AddValidatedOptions<StreamProcessorOptions>("StreamProcessor");
        services.AddQueryExtensions();
        services.AddModels();
        services.AddSingleton<IValidateOptions<StreamProcessorOptions>, StreamProcessorOptionsValidator>();
        services.AddSingleton<StreamRuntime>();
        services.AddSingleton<DeadLetterLog>();
        services.AddSingleton<DeadLetterWriter>();
        services.AddSingleton<StoreRetry>();
        services.TryAddSingleton<RecordClock>();
        services.AddSingleton<SinkStreams>();
        services.AddSingleton<PositionWriter>();
        services.AddSingleton<TelemetrySink>();
        services.AddSingleton<AlertSink>();
        services.AddSingleton<DeviceStateSink>();
        services.AddSingleton<DeadLetterSink>();
        services.AddSingleton<LateLetters>();
        services.AddSingleton<SharedInputs>();
        services.AddSingleton<IValidateOptions<QueryExtensionOptions>, ReferenceOptionsValidator>();
        services.AddSingleton<ReferenceStores>();
        services.AddSingleton<ReferenceData>();
        services.AddSingleton<PromotedModels>();
        services.AddSingleton<QueryServices>();
        services.AddSingleton<QueryStarts>();
        services.AddSingleton<QueryPlaces>();
        services.AddSingleton<ControlWatch>();
        services.AddTransient<StoredQueriesWatch>();

        // Stopped in reverse: queries first, so that the warm writer still stores what they wrote last.
        services.AddHostedService(s => s.GetRequiredService<ControlWatch>());
        services.AddHostedService<WarmWriterService>();
        services.AddHostedService<DeadLetterReplays>();
        services.AddHostedService<QueryHost>();
        return services;
    }
}
