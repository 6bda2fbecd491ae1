using System.Reflection;
using Millrace.Gateway.Bridge.Link;
using MQTTnet;

namespace Millrace.Gateway.Tests.Bridge;

public class BridgeClientTests
{
    private readonly MqttApplicationMessage _message = new MqttApplicationMessageBuilder().WithTopic("x").Build();

    [Test]
    public async Task No_more_is_in_flight_than_the_broker_takes()
    {
        var broker = SilentClient.Create();
        var client = new BridgeClient(broker.Client, uint.MaxValue, receiveMaximum: 2, CancellationToken.None);
        var first = await client.SendAsync(_message, CancellationToken.None);
        await client.SendAsync(_message, CancellationToken.None);

        var third = client.SendAsync(_message, CancellationToken.None).AsTask();
        Assert.That(third.IsCompleted, Is.False);
        Assert.That(broker.Unanswered, Has.Count.EqualTo(2));

        broker.AnswerFirst();
        await first;
        await third.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(broker.Unanswered, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_message_counts_until_it_is_answered_though_its_sender_has_gone()
    {
        var broker = SilentClient.Create();
        var client = new BridgeClient(broker.Client, uint.MaxValue, receiveMaximum: 1, CancellationToken.None);
        using (var gone = new CancellationTokenSource())
        {
            await client.SendAsync(_message, gone.Token);
            await gone.CancelAsync();
        }

        var next = client.SendAsync(_message, CancellationToken.None).AsTask();
        Assert.That(next.IsCompleted, Is.False);
        broker.AnswerFirst();
        await next.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Test]
    public async Task What_waits_ends_with_the_connection()
    {
        var broker = SilentClient.Create();
        using var ended = new CancellationTokenSource();
        var client = new BridgeClient(broker.Client, uint.MaxValue, receiveMaximum: 1, ended.Token);
        var first = await client.SendAsync(_message, CancellationToken.None);
        var second = client.SendAsync(_message, CancellationToken.None).AsTask();

        await ended.CancelAsync();

        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await await second, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(client.IsConnected, Is.False);
    }

    /// <summary>A connected client whose publishes are answered when the test says so.</summary>
    public class SilentClient : DispatchProxy
    {
        public Queue<TaskCompletionSource<MqttClientPublishResult>> Unanswered { get; } = new();

        public IMqttClient Client => (IMqttClient)(object)this;

        public static SilentClient Create() => (SilentClient)(object)Create<IMqttClient, SilentClient>();

        public void AnswerFirst() => Unanswered.Dequeue().SetResult(
            new MqttClientPublishResult(1, MqttClientPublishReasonCode.Success, null, []));

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name == $"get_{nameof(IMqttClient.IsConnected)}") return true;
            Assert.That(targetMethod.Name, Is.EqualTo(nameof(IMqttClient.PublishAsync)));
            var answer = new TaskCompletionSource<MqttClientPublishResult>();
            Unanswered.Enqueue(answer);
            return answer.Task.WaitAsync((CancellationToken)args![1]!);
        }
    }
}
