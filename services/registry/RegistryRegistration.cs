using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Options;
using Millrace.Registry.Identities;
using Millrace.Registry.Messages;
using Millrace.Registry.Rest;
using Millrace.Stores.Audit;
using Millrace.Stores.Identities;

namespace Millrace.Registry;

/// <summary>The hub's devices, and their REST endpoints.</summary>
public static class RegistryRegistration
{
    public static IServiceCollection AddMillraceRegistry(this IServiceCollection services)
    {
        services.AddValidatedOptions<RegistryOptions>("Registry");
        services.AddSingleton<DeviceChanges>();
        services.AddSingleton(s => new DeviceRegistry(s.GetRequiredService<IIdentityStore>(),
            s.GetRequiredService<IAuditStore>(), s.GetRequiredService<DeviceChanges>(),
            s.GetRequiredService<IOptions<RegistryOptions>>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<DeviceMessages>();
        services.AddHostedService<DeviceKeyUpkeep>();
        services.AddHostedService<DeviceEndUpkeep>();
        return services;
    }

    public static IEndpointRouteBuilder MapMillraceRegistry(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapDevices();
        return endpoints;
    }
}
