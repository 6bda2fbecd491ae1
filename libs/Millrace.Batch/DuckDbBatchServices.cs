using Microsoft.Extensions.DependencyInjection;

namespace Millrace.Batch;

public static class DuckDbBatchServices
{
    /// <summary><see cref="IBatchEngine"/> on DuckDB, within this process. Section <c>Batch</c>.</summary>
    public static IServiceCollection AddDuckDbBatch(this IServiceCollection services) => services;
}
