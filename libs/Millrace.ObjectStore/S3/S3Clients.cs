using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;

namespace Millrace.ObjectStore.S3;

/// <summary>
/// The HTTP clients of the SDK. Its own time limit is over when an answer begins; in these the body may not pause for
/// longer either.
/// </summary>
/// <param name="caFile">Only the authorities of this file are trusted; null: the system's.</param>
internal sealed class S3Clients(string? caFile, TimeSpan timeout, TimeProvider time) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig)
    {
        // The SDK follows redirects, and signs anew; it takes bodies as they are.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        if (caFile is not null)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(caFile);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        return new HttpClient(new PatienceHandler(handler, timeout, time)) { Timeout = timeout };
    }

    private sealed class PatienceHandler(HttpMessageHandler inner, TimeSpan patience, TimeProvider time)
        : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var body = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var content = new StreamContent(new PatientStream(body, patience, time));
            foreach (var (name, values) in answer.Content.Headers)
                content.Headers.TryAddWithoutValidation(name, values);
            answer.Content = content;
            return answer;
        }
    }
}
