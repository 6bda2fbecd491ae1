using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting.Roles;

namespace Millrace.Platform;

/// <summary>The batch engine that the configuration asks for.</summary>
internal static class BatchChoice
{
    public static IServiceCollection AddBatch(
        this IServiceCollection services, IConfiguration configuration, IReadOnlyCollection<MillraceRole> roles)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddBatchOptions();
        var isSpark = Enum.TryParse<BatchKind>(configuration["Batch:Kind"], ignoreCase: true, out var kind)
            && kind == BatchKind.Spark;
        if (!isSpark) return services.AddDuckDbBatch();
        services.AddSparkBatch();

        // The other roles do without it.
        return roles.Contains(MillraceRole.ColdPath) ? services.AddSparkReadiness() : services;
    }
}
