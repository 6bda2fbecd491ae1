using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Hosting;
using Millrace.Hosting.Options;
using Millrace.ObjectStore.Files;

namespace Millrace.ObjectStore;

public static class FileObjectStoreServices
{
    /// <summary>
    /// <see cref="IObjectStore"/> as files, in the data folder unless the section <c>ObjectStore</c> says otherwise.
    /// </summary>
    public static IServiceCollection AddFileObjectStore(this IServiceCollection services)
    {
        services.AddValidatedOptions<FileObjectStoreOptions>("ObjectStore");
        services.AddMetrics();
        services.AddSingleton<ObjectStoreMetrics>();
        services.AddSingleton<IObjectStore>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<FileObjectStoreOptions>>().Value;
            return FileObjectStore.Open(
                options.Folder ?? provider.GetRequiredService<DataFolder>().Archive,
                options.UnfinishedFileAge,
                new PosixDisk(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ObjectStoreMetrics>());
        });
        return services;
    }
}
