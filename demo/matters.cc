#include "matters.h"

namespace gridwhistle::demo {

namespace {

using v1::WHISTLE_CLASS_DIFFICULT;
using v1::WHISTLE_CLASS_KEY;
using v1::WHISTLE_CLASS_ROUTINE;

constexpr Matter kEveryday[] = {
    {"01001", "路口垃圾堆放", "三袋装修垃圾堆在人行道上，有异味。", WHISTLE_CLASS_ROUTINE, true},
    {"02001", "井盖缺损", "雨水井盖裂开约两指宽，已放置警示牌。", WHISTLE_CLASS_ROUTINE},
    {"04002", "消防通道堵塞", "两辆三轮车停在消防通道，已劝离。", WHISTLE_CLASS_ROUTINE, true},
    {"02004", "路灯不亮", "巷口连续三盏路灯不亮。", WHISTLE_CLASS_ROUTINE},
    {"05006", "车辆乱停", "货车占用盲道，已联系车主移走。", WHISTLE_CLASS_ROUTINE, true},
    {"02002", "路面塌陷", "菜市场门口路面下沉，面积约一平方米。", WHISTLE_CLASS_KEY},
    {"07001", "河道漂浮物", "桥下水面有大量浮萍和泡沫箱。", WHISTLE_CLASS_ROUTINE},
    {"06001", "邻里纠纷", "两户因空调滴水争执，已当场调解。", WHISTLE_CLASS_ROUTINE, true},
    {"07002", "污水直排", "作坊后沟有白色泡沫，气味刺鼻。", WHISTLE_CLASS_KEY},
    {"08001", "食品安全", "小店出售的熟食无标签、无防尘罩。", WHISTLE_CLASS_KEY},
    {"03003", "工地噪声", "夜间十一点仍有打桩声。", WHISTLE_CLASS_ROUTINE},
    {"04004", "楼道充电", "一楼过道有电动车飞线充电，已劝阻。", WHISTLE_CLASS_ROUTINE, true},
    {"03002", "老屋墙体开裂", "老屋外墙裂缝变宽，屋内仍有人住。", WHISTLE_CLASS_KEY},
    {"06005", "拖欠工资", "数名工人反映工程款未结，工资拖欠两个月。", WHISTLE_CLASS_KEY},
    {"09005", "停水", "整栋楼从清晨起无水。", WHISTLE_CLASS_ROUTINE},
    {"03001", "违法建设", "楼顶正在加建铁皮屋，未见许可。", WHISTLE_CLASS_DIFFICULT},
    {"01003", "占道经营", "学校门口摊位占道，放学时段拥堵。", WHISTLE_CLASS_ROUTINE},
    {"04006", "用电隐患", "配电箱门损坏，线头外露。", WHISTLE_CLASS_ROUTINE},
};

constexpr Matter kEmergencies[] = {
    {"04005", "燃气泄漏", "楼道内闻到浓烈燃气味，已疏散住户。", WHISTLE_CLASS_KEY},
    {"09001", "独居老人无人应门", "敲门无人应答，屋内有水声。", WHISTLE_CLASS_KEY},
    {"04001", "仓库冒烟", "废品仓库冒黑烟，周边已拉开距离。", WHISTLE_CLASS_KEY},
};

constexpr Matter kHeadless = {"99001", "空地上的旧游乐设施",
                              "空地上遗留旧游乐设施，找不到权属单位。", WHISTLE_CLASS_ROUTINE};

constexpr Matter kRoad = {"02003", "路面破损", "机动车道有一处坑洼，约半平方米。",
                          WHISTLE_CLASS_ROUTINE};

}  // namespace

std::span<const Matter> everyday_matters() { return kEveryday; }
std::span<const Matter> emergencies() { return kEmergencies; }
const Matter& road_matter() { return kRoad; }
const Matter& headless_matter() { return kHeadless; }

}  // namespace gridwhistle::demo
