using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Hosting.Options;
using Millrace.ObjectStore.Files;
using Millrace.ObjectStore.S3;

namespace Millrace.ObjectStore;

public static class ObjectStoreRegistration
{
    /// <summary>The options of S3, which mean something when ObjectStore:Kind says so.</summary>
    public static IServiceCollection AddS3Options(this IServiceCollection services)
    {
        services.AddValidatedOptions<S3ObjectStoreOptions>("ObjectStore:S3");
        services.AddSingleton<IValidateOptions<S3ObjectStoreOptions>, S3ObjectStoreOptionsValidator>();
        return services;
    }

    /// <summary>
    /// <see cref="IObjectStore"/> as files, in the data folder unless the section <c>ObjectStore</c> says otherwise.
    /// </summary>
    public static IServiceCollection AddFileObjectStore(this IServiceCollection services)
    {
        services.AddCommon();
        services.AddSingleton<IObjectStore>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<ObjectStoreOptions>>().Value;
            return FileObjectStore.Open(
                options.Folder ?? provider.GetRequiredService<DataFolder>().Archive,
                options.UnfinishedFileAge,
                new PosixDisk(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ObjectStoreMetrics>());
        });
        return services;
    }

    /// <summary>
    /// <see cref="IObjectStore"/> in a bucket. Needs <see cref="AddS3Options"/>. Wait for its
    /// <see cref="IAwaitedServer"/> before the first write: it proves that the store can do what is asked of it.
    /// </summary>
    public static IServiceCollection AddS3ObjectStore(this IServiceCollection services)
    {
        services.AddCommon();
        services.AddSingleton(provider => new S3Bucket(
            provider.GetRequiredService<IOptions<S3ObjectStoreOptions>>().Value,
            provider.GetRequiredService<ObjectStoreMetrics>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IObjectStore, S3ObjectStore>();
        services.AddSingleton<IAwaitedServer>(provider => new S3Opening(
            provider.GetRequiredService<S3Bucket>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<S3Opening>>()));
        return services;
    }

    private static void AddCommon(this IServiceCollection services)
    {
        services.AddValidatedOptions<ObjectStoreOptions>("ObjectStore");
        services.AddMetrics();
        services.TryAddSingleton<ObjectStoreMetrics>();
    }
}
