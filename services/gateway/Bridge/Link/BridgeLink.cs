using Microsoft.Extensions.Logging;
using Millrace.Gateway.Bridge.Intake;
using Millrace.Primitives;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Millrace.Gateway.Bridge.Link;

/// <summary>A bridge's connection to its broker: made again, with a growing pause, whenever it ends.</summary>
internal sealed class BridgeLink(
    BridgeOptions options, TimeSpan drainTimeout, BridgeIntake intake, BridgeSessionKeeper keeper, BridgeState state,
    TimeProvider time, ILogger logger)
{
    private volatile TaskCompletionSource<BridgeClient> _client = NewClient();

    /// <summary>The connected client; waits for one.</summary>
    public Task<BridgeClient> ClientAsync(CancellationToken ct) => _client.Task.WaitAsync(ct);

    public async Task RunAsync(CancellationToken stop)
    {
        var delay = options.ReconnectDelayMin;
        while (!stop.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                await ConnectAsync(stop).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (!stop.IsCancellationRequested) state.Failed(ErrorOf(failure), failure);
            }

            state.Disconnected();
            if (time.GetElapsedTime(began) > options.ReconnectDelayMax) delay = options.ReconnectDelayMin;
            await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, options.ReconnectDelayMax.Ticks));
        }
    }

    /// <summary>One connection from its beginning to its end.</summary>
    private async Task ConnectAsync(CancellationToken stop)
    {
        await intake.SettleAsync(stop).ConfigureAwait(false);
        await keeper.ResolveAsync(stop).ConfigureAwait(false);
        intake.Begin();
        var channels = new BridgeChannels(intake, options.BacklogBytesMax.Bytes);
        using var client = new MqttClientFactory().CreateMqttClient(channels);
        var lost = new TaskCompletionSource<Error>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.DisconnectedAsync += ended =>
        {
            lost.TrySetResult(BridgeErrors.Lost.With(options.Broker, Why(ended)));
            return Task.CompletedTask;
        };
        using var scope = CancellationTokenSource.CreateLinkedTokenSource(stop);
        scope.CancelAfter(options.ConnectTimeout);
        var result = await client.ConnectAsync(BridgeClientOptions.Of(options), scope.Token).ConfigureAwait(false);
        if (result.ResultCode != MqttClientConnectResultCode.Success)
        {
            throw BridgeErrors.Refused.With(options.Broker, $"{result.ResultCode} {result.ReasonString}".Trim() + ".")
                .AsException();
        }

        var grants = new BrokerGrants(options, result);
        using var pumping = new CancellationTokenSource();
        var acks = AcknowledgeAsync(channels.Last!, pumping.Token);
        var saves = Task.CompletedTask;
        try
        {
            if (!result.IsSessionPresent) await keeper.SaveAsync(null, scope.Token).ConfigureAwait(false);
            saves = keeper.RunAsync(channels.Last!, pumping.Token);
            if (grants.Lacking(intake.Mapping.Filters) is { } lacking)
                throw BridgeErrors.Refused.With(options.Broker, lacking).AsException();
            await SubscribeAsync(client, scope.Token).ConfigureAwait(false);
            scope.CancelAfter(Timeout.InfiniteTimeSpan);
            state.Connected(result.IsSessionPresent);
            _client.SetResult(
                new BridgeClient(client, grants.PacketBytesMax, grants.ReceiveMaximum, pumping.Token));
            await EndAsync(lost.Task, acks, saves, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested) await DrainAsync(acks).ConfigureAwait(false);
        }
        finally
        {
            if (_client.Task.IsCompleted) _client = NewClient();
            await pumping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(acks, saves).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await LeaveAsync(client).ConfigureAwait(false);

            // MQTTnet's Dispose throws when it meets its own clean-up, so that ends first.
            await ((Task)lost.Task).WaitAsync(options.ConnectTimeout, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (stop.IsCancellationRequested || intake.Failed.IsCompleted) return;
        throw (lost.Task.IsCompleted ? lost.Task.Result : BridgeErrors.Lost.With(options.Broker)).AsException();
    }

    /// <summary>Waits until there is a reason to end; one that is an error is thrown by the caller.</summary>
    private async Task EndAsync(Task lost, Task acks, Task saves, CancellationToken stop)
    {
        var stopped = new TaskCompletionSource();
        await using var wake = stop.UnsafeRegister(_ => stopped.TrySetResult(), null).ConfigureAwait(false);
        await Task.WhenAny(lost, intake.Failed, acks, saves, stopped.Task).ConfigureAwait(false);
    }

    /// <summary>Nothing more is taken; what was is acknowledged when the log has it.</summary>
    private async Task DrainAsync(Task acks)
    {
        intake.Drain();
        await acks.WaitAsync(drainTimeout, time, CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (intake.InFlight > 0) logger.StoppedEarly(options.Name, intake.InFlight);
    }

    private async Task AcknowledgeAsync(BridgeChannel channel, CancellationToken ct)
    {
        while (await intake.NextAckAsync(ct).ConfigureAwait(false) is { } ack)
            await channel.AcknowledgeAsync(ack, ct).ConfigureAwait(false);
    }

    private async Task SubscribeAsync(IMqttClient client, CancellationToken ct)
    {
        if (options.Subscriptions.Count == 0) return;
        var subscribe = new MqttClientSubscribeOptions();
        foreach (var (filter, wanted) in intake.Mapping.Filters.Zip(options.Subscriptions))
        {
            subscribe.TopicFilters.Add(new MqttTopicFilter
            {
                Topic = options.SharedGroup.Length == 0 ? filter : $"$share/{options.SharedGroup}/{filter}",
                QualityOfServiceLevel = (MqttQualityOfServiceLevel)wanted.Qos,
                RetainHandling = options.SharedGroup.Length == 0 && options.Version == Millrace.Mqtt.MqttVersion.V5
                    ? MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly
                    : MqttRetainHandling.SendAtSubscribe,
            });
        }

        var result = await client.SubscribeAsync(subscribe, ct).ConfigureAwait(false);
        foreach (var (item, wanted) in result.Items.Zip(options.Subscriptions))
        {
            if ((int)item.ResultCode != wanted.Qos)
            {
                throw BridgeErrors.Refused.With(item.TopicFilter.Topic,
                    $"Asked for QoS {wanted.Qos}, got {item.ResultCode}.").AsException();
            }
        }
    }

    /// <summary>Says good-bye, which keeps the session; nobody minds when the broker is gone already.</summary>
    private async Task LeaveAsync(IMqttClient client)
    {
        try
        {
            using var timeout = new CancellationTokenSource(options.ConnectTimeout, time);
            await keeper.SaveAsync(null, timeout.Token).ConfigureAwait(false);
            if (!client.IsConnected) return;
            await client.DisconnectAsync(new MqttClientDisconnectOptions(), timeout.Token).ConfigureAwait(false);
        }
        catch (MillraceException failure)
        {
            state.Failed(BridgeErrors.SessionFailed.With(options.Name, failure.Message), failure);
        }
        catch (Exception)
        {
            // The connection has ended otherwise.
        }
    }

    private static string Why(MqttClientDisconnectedEventArgs ended)
    {
        var reason = ended.ReasonString ?? ended.Exception?.GetBaseException().Message;
        return reason is null ? $"{ended.Reason}." : $"{ended.Reason}: {reason}";
    }

    private Error ErrorOf(Exception failure) => failure switch
    {
        MillraceException known => known.Error,
        OperationCanceledException => BridgeErrors.Lost.With(
            options.Broker, $"No answer within {options.ConnectTimeout}."),
        _ => BridgeErrors.Lost.With(options.Broker, failure.GetBaseException().Message),
    };

    private static TaskCompletionSource<BridgeClient> NewClient() =>
        new(TaskCreationOptions.RunContinuationsAsynchronously);
}
