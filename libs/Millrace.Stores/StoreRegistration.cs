using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;

namespace Millrace.Stores;

/// <summary>What goes with the stores, whatever keeps them.</summary>
internal static class StoreRegistration
{
    public static IServiceCollection AddStoreServices(this IServiceCollection services)
    {
        services.AddValidatedOptions<StoreOptions>("Stores");
        services.AddSingleton<IValidateOptions<StoreOptions>, StoreOptionsValidator>();
        services.TryAddSingleton<Housekeeping>();
        services.AddHostedService<StoreRetention>();
        return services;
    }
}
