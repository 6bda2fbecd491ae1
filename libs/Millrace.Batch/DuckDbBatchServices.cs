using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch.DuckDb;
using Millrace.Hosting.Options;

namespace Millrace.Batch;

public static class DuckDbBatchServices
{
    /// <summary>
    /// <see cref="IBatchEngine"/> on DuckDB, within this process. Section <c>Batch</c>. Needs an object store that
    /// keeps local files.
    /// </summary>
    public static IServiceCollection AddDuckDbBatch(this IServiceCollection services)
    {
        services.AddValidatedOptions<DuckDbOptions>("Batch");
        services.AddMetrics();
        services.AddSingleton<BatchMetrics>();
        services.AddSingleton<IBatchEngine, DuckDbEngine>();
        return services;
    }
}
