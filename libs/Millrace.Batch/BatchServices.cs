using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Batch.DuckDb;
using Millrace.Batch.SparkConnect;
using Millrace.Delta;
using Millrace.Hosting.Health;
using Millrace.Hosting.Options;

namespace Millrace.Batch;

public static class BatchServices
{
    /// <summary>The options in sections Batch, Delta and Spark, the last for Batch:Kind = Spark.</summary>
    public static IServiceCollection AddBatchOptions(this IServiceCollection services)
    {
        services.AddValidatedOptions<BatchOptions>("Batch");
        services.AddValidatedOptions<SparkOptions>("Spark");
        services.AddSingleton<IValidateOptions<SparkOptions>, SparkOptionsValidator>();
        services.AddDeltaOptions();
        services.AddMetrics();
        services.AddSingleton<BatchMetrics>();
        return services;
    }

    /// <summary><see cref="IBatchEngine"/> on DuckDB, in this process. Needs <see cref="AddBatchOptions"/>.</summary>
    public static IServiceCollection AddDuckDbBatch(this IServiceCollection services) =>
        services.AddSingleton<IBatchEngine, DuckDbEngine>();

    /// <summary>
    /// <see cref="IBatchEngine"/> on a Spark cluster. Needs <see cref="AddBatchOptions"/> and the health checks, which
    /// then ask the server.
    /// </summary>
    public static IServiceCollection AddSparkBatch(this IServiceCollection services)
    {
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<SparkOptions>>().Value;
            if (!SparkAddress.TryParse(options.Remote, out var address, out var wrong))
                throw new InvalidOperationException($"Spark:Remote cannot be used: {wrong}.");
            return new SparkClient(address, options, provider.GetRequiredService<TimeProvider>());
        });
        services.AddSingleton<SparkServer>();
        services.AddSingleton<IBatchEngine, SparkEngine>();
        return services;
    }

    /// <summary>Lets the process wait for Spark at its start, and not be ready while it does not answer.</summary>
    public static IServiceCollection AddSparkReadiness(this IServiceCollection services)
    {
        services.AddSingleton<IAwaitedServer>(provider => provider.GetRequiredService<SparkServer>());
        return services.AddReadiness("batch", async (provider, ct) =>
            await provider.GetRequiredService<SparkServer>().AskAsync(ct).ConfigureAwait(false));
    }
}
