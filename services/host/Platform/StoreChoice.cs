using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Stores;
using Millrace.Stores.Cassandra;
using Millrace.Stores.Sqlite;
using Millrace.Stores.Telemetry;

namespace Millrace.Platform;

/// <summary>The stores that the configuration asks for.</summary>
internal static class StoreChoice
{
    public static IServiceCollection AddStores(this IServiceCollection services, IConfiguration configuration)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddCassandraOptions();
        var isCassandra = Enum.TryParse<StoreKind>(configuration["Stores:Kind"], ignoreCase: true, out var kind)
            && kind == StoreKind.Cassandra;
        if (!isCassandra) return services.AddSqliteStores();
        services.AddCassandraStores();
        if (services.All(service => service.ServiceType != typeof(ITelemetryStore)))
            services.AddSingleton<IValidateOptions<StoreOptions>, TelemetryMissing>();
        return services;
    }

    /// <summary>A platform without one of the stores would fail when it is first asked for.</summary>
    private sealed class TelemetryMissing : IValidateOptions<StoreOptions>
    {
        public ValidateOptionsResult Validate(string? name, StoreOptions options) => ValidateOptionsResult.Fail(
            "Stores:Kind is Cassandra, which does not keep telemetry yet; choose Sqlite.");
    }
}
