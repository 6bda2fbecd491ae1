using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.ObjectStore;

namespace Millrace.Platform;

/// <summary>The object store that the configuration asks for.</summary>
internal static class ObjectStoreChoice
{
    public static IServiceCollection AddObjectStore(this IServiceCollection services, IConfiguration configuration)
    {
        // Known whatever is chosen, so that one file can be tried with either.
        services.AddS3Options();
        var isS3 = Enum.TryParse<ObjectStoreKind>(configuration["ObjectStore:Kind"], ignoreCase: true, out var kind)
            && kind == ObjectStoreKind.S3;
        return isS3 ? services.AddS3ObjectStore() : services.AddFileObjectStore();
    }
}
