using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Api;
using Millrace.Archiver.Outputs;
using Millrace.Archiver.Replays;
using Millrace.Archiver.Upkeep;
using Millrace.Archiver.Verification;
using Millrace.Delta;
using Millrace.EventLog;
using Millrace.Hosting.Options;

namespace Millrace.Archiver;

public static class ArchiverServices
{
    /// <summary>
    /// What is asked of the archive and done to it when somebody says so. Sections <c>Archiver</c> and <c>Delta</c>.
    /// Needs the event log, the stores and the object store.
    /// </summary>
    public static IServiceCollection AddMillraceArchive(this IServiceCollection services)
    {
        services.AddValidatedOptions<ArchiverOptions>("Archiver");
        services.AddSingleton<IValidateOptions<ArchiverOptions>, ArchiverOptionsValidator>();
        services.AddDeltaOptions();
        services.AddMetrics();
        services.AddSingleton<ArchiverStatus>();
        services.AddSingleton<ArchiverMetrics>();
        services.AddSingleton<ArchiverAssignment>();
        services.AddSingleton<ArchiveTables>();
        services.TryAddSingleton<RecordClock>();
        services.AddSingleton<TopicArchivers>();
        services.AddSingleton<TableFiles>();
        services.AddSingleton<Compactor>();
        services.AddSingleton<ArchiveRetention>();
        services.AddSingleton<TableVacuum>();
        services.AddSingleton<DeviceEraser>();
        services.AddSingleton<JobTableEraser>();
        services.AddSingleton<ErasedLetters>();
        services.AddSingleton<DeviceErasure>();
        services.AddSingleton<ErasureProver>();
        services.AddSingleton<JobTableProver>();
        services.AddSingleton<DeviceProver>();
        services.AddSingleton<ArchiveVerifier>();
        services.AddSingleton<LetterReplay>();
        services.AddSingleton<LongAnswers>();
        services.AddHostedService(provider => provider.GetRequiredService<LongAnswers>());
        return services;
    }

    /// <summary>
    /// The archiver: from the telemetry topic to the archive's table, beside <see cref="AddMillraceArchive"/>. Gives
    /// <see cref="ArchiverStatus"/>.
    /// </summary>
    public static IServiceCollection AddMillraceArchiver(this IServiceCollection services)
    {
        services.AddMillraceArchive();
        services.AddHostedService<ArchiverService>();
        services.AddHostedService<OutputArchives>();
        services.AddHostedService<DeadLetterReplays>();
        services.AddHostedService<LagReporter>();
        services.AddHostedService<ArchiveUpkeep>();
        return services;
    }
}
