using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Hosting.Health;
using Millrace.Hosting.Roles;
using Millrace.ObjectStore;

namespace Millrace.Platform;

/// <summary>The object store that the configuration asks for.</summary>
internal static class ObjectStoreChoice
{
    /// <summary>
    /// Only processes that work on the archive wait for a bucket; and one with the gateway stays ready when it goes
    /// away, for what devices send waits in the log.
    /// </summary>
    public static IServiceCollection AddObjectStore(
        this IServiceCollection services, IConfiguration configuration, IReadOnlyCollection<MillraceRole> roles)
    {
        var isNeeded = roles.Contains(MillraceRole.Archiver) || roles.Contains(MillraceRole.ColdPath);
        if (isNeeded && !roles.Contains(MillraceRole.Gateway))
        {
            services.AddReadiness("object-store", async (s, ct) => await s.GetRequiredService<IObjectStore>()
                .FindAsync("readiness", ct));
        }

        // Known whatever is chosen, so that one file can be tried with either.
        services.AddS3Options();
        var isS3 = Enum.TryParse<ObjectStoreKind>(configuration["ObjectStore:Kind"], ignoreCase: true, out var kind)
            && kind == ObjectStoreKind.S3;
        return isS3 ? services.AddS3ObjectStore(isNeeded) : services.AddFileObjectStore();
    }
}
